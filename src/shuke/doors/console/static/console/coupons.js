// The form of a coupon shows the fields of the chosen kind only. Without script all are there, and the others stay empty.
const kind = document.querySelector("[data-coupon] [name=kind]");
const show = () => {
  for (const field of document.querySelectorAll("[data-only]")) field.hidden = !field.dataset.only.split(" ").includes(kind.value);
};
kind?.addEventListener("change", show);
if (kind) show();
