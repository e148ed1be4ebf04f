// The charter's editor: what is typed is checked while one types, and leaving with unsaved words asks first.

const form = document.querySelector("form[data-check]");
if (form) {
  let timer = 0;
  let asked = 0;
  let dirty = false;
  let leaving = false;

  const make = (tag, text, name) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  };

  // Each fault beside its field; one whose field is not shown stands at the nearest place around it.
  const showFaults = (problems) => {
    const slots = new Map([...form.querySelectorAll("[data-fault]")].map((slot) => [slot.dataset.fault, slot]));
    for (const slot of slots.values()) {
      slot.hidden = true;
      slot.textContent = "";
      const field = slot.closest(".c-field");
      if (field) {
        field.classList.remove("c-wrong");
        const input = field.querySelector("input:not([type=hidden]), select, textarea");
        if (input) input.removeAttribute("aria-invalid");
      }
    }
    for (const one of problems) {
      let place = one.where;
      while (place && !slots.has(place)) place = place.includes(".") ? place.slice(0, place.lastIndexOf(".")) : "";
      const slot = slots.get(place);
      if (!slot) continue;
      slot.hidden = false;
      slot.textContent += one.text + " ";
      for (let fold = slot.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      const field = slot.closest(".c-field");
      if (field) {
        field.classList.add("c-wrong");
        const input = field.querySelector("input:not([type=hidden]), select, textarea");
        if (input) input.setAttribute("aria-invalid", "true");
      }
    }
  };

  const show = (told) => {
    showFaults(told.problems);
    const listed = (found) =>
      found.map((one) => {
        const item = make("li", "");
        const jump = make("button", one.label.charAt(0).toUpperCase() + one.label.slice(1), "c-jump");
        jump.name = "go";
        jump.value = one.part;
        item.append(jump, " " + one.text);
        return item;
      });
    form.querySelector("[data-problems]").replaceChildren(...listed(told.problems));
    form.querySelector("[data-warnings]").replaceChildren(...listed(told.warnings));
    form.querySelector("[data-warned]").hidden = !told.warnings.length;
    form.querySelector("[data-problem-count]").textContent = told.problems.length;
    form.querySelector("[data-whole]").hidden = told.problems.length > 0;
    for (const badge of form.querySelectorAll("[data-count]")) {
      const count = told.counts[badge.dataset.count] || 0;
      badge.textContent = count;
      badge.hidden = !count;
    }
    let title = "";
    const changes = [];
    for (const one of told.changes) {
      if (one.title !== title) changes.push(make("dt", (title = one.title)));
      const line = make("dd", "");
      if (one.before) line.append(make("del", one.before));
      if (one.after) line.append(make("ins", one.after));
      changes.push(line);
    }
    form.querySelector("[data-changes]").replaceChildren(...changes);
    form.querySelector("[data-no-changes]").hidden = changes.length + told.problems.length > 0;
    form.querySelector("[data-mend-first]").hidden = !told.problems.length;
  };

  const check = async () => {
    const number = ++asked;
    let told;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new FormData(form), credentials: "same-origin" });
      if (!answer.ok) return;
      told = await answer.json();
    } catch {
      return; // no connection: saving will say so
    }
    if (number === asked) show(told); // an answer that was overtaken is old news
  };

  form.addEventListener("input", () => {
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(check, 400);
  });
  form.addEventListener("submit", () => (leaving = true));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (dirty && !leaving) event.preventDefault();
  });
}
