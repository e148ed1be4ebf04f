// The counter screen. A scanner is a keyboard: what it types goes into the box wherever the focus is; Escape comes back to it.
(() => {
  const box = () => document.querySelector("[data-counter-box]");
  document.addEventListener("keydown", (event) => {
    const field = box();
    if (!field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      field.value = "";
      field.focus();
      return;
    }
    const writing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (!writing && /^[0-9]$/.test(event.key)) {
      field.value = "";
      field.focus(); // the digit itself is typed into it by the browser
    }
  });
  // What has just been drawn anew takes no second tap that was meant for what stood there before.
  document.addEventListener("htmx:after:swap", () => {
    const panel = document.getElementById("c-panel");
    if (!panel) return;
    panel.inert = true;
    setTimeout(() => {
      panel.inert = false;
    }, 350);
  });
})();
