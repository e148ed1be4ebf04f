// The sheet of cards: its one button opens the browser's print dialogue.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
