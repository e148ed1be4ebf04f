// Behaviour of the console, by delegated data- attributes. No inline script anywhere: it works under script-src 'self'.
// Texts come from the page as data- attributes; there is no catalogue of words here.

const on = (name, act) => document.addEventListener(name, act);
const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);

// data-theme-switch: light ↔ dark, remembered on this device.
on("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const root = document.documentElement;
  root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.bsTheme);
});

// data-menu: a <details> that behaves as a menu: closes on a click elsewhere and on Escape, and gives the focus back.
const closeMenus = (except) =>
  document.querySelectorAll("details[data-menu][open]").forEach((menu) => menu !== except && (menu.open = false));
on("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
on("keydown", (event) => {
  if (event.key === "Escape") {
    const open = document.querySelector("details[data-menu][open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
    const hits = document.getElementById("c-hits");
    if (hits) hits.replaceChildren();
  }
  if (event.key === "/" && !typing() && !event.ctrlKey && !event.metaKey) {
    const box = document.querySelector("[data-hot]");
    if (box) {
      event.preventDefault();
      box.focus();
    }
  }
  // Arrow keys walk from the search box through its hits and back.
  const search = event.target.closest && event.target.closest("[data-search]");
  if (search && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const stops = [search.querySelector("input"), ...search.querySelectorAll("#c-hits a")];
    const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});
on("click", (event) => {
  const hits = document.getElementById("c-hits");
  if (hits && !event.target.closest("[data-search]")) hits.replaceChildren();
});

// data-print: the print dialogue.
on("click", (event) => event.target.closest("[data-print]") && window.print());

// data-autosubmit: a form that sends itself when one of its choices changes.
on("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) form.requestSubmit();
});

// data-bulk: a list whose row checkboxes show a bar with their count.
on("change", (event) => {
  const list = event.target.closest("[data-bulk]");
  if (!list || event.target.type !== "checkbox") return;
  const boxes = [...list.querySelectorAll("tbody input[type=checkbox]")];
  if (event.target.matches("[data-all]")) boxes.forEach((box) => (box.checked = event.target.checked));
  const count = boxes.filter((box) => box.checked).length;
  const bar = list.querySelector("[data-bulk-bar]");
  if (bar) {
    bar.hidden = !count;
    bar.querySelector("[data-bulk-count]").textContent = count;
  }
});

// data-focus: what a fetched fragment wants focused.
on("htmx:after:swap", () => {
  const target = document.querySelector("[data-focus]");
  if (target) target.focus();
});

// data-drop: a form whose file box takes files dropped anywhere on it, and says their names.
const dropForm = (event) => event.target.closest && event.target.closest("form[data-drop]");
for (const name of ["dragenter", "dragover", "dragleave", "drop"])
  on(name, (event) => {
    const form = dropForm(event);
    if (!form) return;
    event.preventDefault();
    const zone = form.querySelector(".c-drop");
    zone.classList.toggle("c-drop-over", name === "dragenter" || name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) {
      const box = form.querySelector("input[type=file]");
      box.files = event.dataTransfer.files;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
const sayNames = (box) => {
  const form = box.closest("form[data-drop]");
  if (form) form.querySelector("[data-drop-names]").textContent = [...box.files].map((file) => file.name).join(", ");
};
on("change", (event) => event.target.type === "file" && sayNames(event.target));
// Who was quicker than this script, or came back to a page that still holds the choice, is told as well.
document.querySelectorAll("form[data-drop] input[type=file]").forEach(sayNames);

// Tabs that do not fit beside one another scroll; the one that is open must be seen when the page opens.
for (const current of document.querySelectorAll(".c-tabs > [aria-current]")) {
  const bar = current.parentElement;
  if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = current.offsetLeft - bar.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
}
