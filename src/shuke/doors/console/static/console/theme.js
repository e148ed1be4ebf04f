// Runs before the first paint, so that a dark page never flashes white. Paper is always light.
const paper = matchMedia("print");
const wanted = () =>
  paper.matches
    ? "light"
    : localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
const paint = () => (document.documentElement.dataset.bsTheme = wanted());
paper.addEventListener("change", paint);
paint();
