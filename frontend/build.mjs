// Builds what the console's pages load: node build.mjs [output folder]
// Purged Bootstrap, htmx, a sprite of the icons in use, and the licences of all three. Users of the wheel never run it.
// The same sources always give the same bytes: nothing here depends on time, place or order of the file system.
import { transform } from "esbuild";
import { PurgeCSS } from "purgecss";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const doors = resolve(here, "../src/shuke/doors");
const out = resolve(process.argv[2] ?? join(doors, "console/static/vendor"));
const modules = join(here, "node_modules");
const read = (...parts) => readFileSync(join(...parts), "utf8");

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!["vendor", "__pycache__", "migrations"].includes(entry.name)) yield* sources(path);
    } else if (/\.(html|js|css|py)$/.test(entry.name)) yield { path, text: readFileSync(path, "utf8") };
  }
}
const pages = [...sources(doors)];

// Bootstrap 5.3 needs neither color-mix() nor oklch(), so it still draws on the Chrome 94 floor of old tills.
const [purged] = await new PurgeCSS().purge({
  content: pages.filter(({ path }) => !path.endsWith(".css")).map(({ text }) => ({ raw: text, extension: "html" })),
  css: [{ raw: read(modules, "bootstrap/dist/css/bootstrap.min.css") }],
  variables: true,
  keyframes: true,
  // Set by forms and scripts at run time, so never seen in a template.
  safelist: { standard: [/^is-(in)?valid$/, /^was-validated$/, /^alert-/, /^text-bg-/], greedy: [/data-bs-theme/] },
});
const css = purged.css.replace(/\/\*# sourceMappingURL.*?\*\//, "");
const newer = ["color-mix(", "oklch(", "light-dark(", ":has(", "@container", "dvh", "@layer", "text-wrap:", "subgrid"];
const styles = pages.filter(({ path }) => path.endsWith(".css")).map(({ path, text }) => [path, text]);
for (const [path, text] of [["bootstrap", css], ...styles])
  for (const word of newer)
    if (text.replace(/\/\*[^]*?\*\//g, "").includes(word)) throw new Error(`${path} uses ${word}: newer than the browser floor`);

const htmx = read(modules, "htmx.org/dist/htmx.min.js").replace(/\/\/# sourceMappingURL.*/, "");
await transform(htmx, { target: ["chrome94", "safari15"], logLevel: "silent" }); // throws on syntax it cannot lower

// An icon is in use when a page says {% icon "name" %} or Python says icon="name" (the keyword every tag shares).
const wanted = new Set();
for (const { text } of pages)
  for (const [, name] of text.matchAll(/(?:{%\s*icon\s+|\bicon=)"([a-z0-9-]+)"/g)) wanted.add(name);
const symbols = [...wanted].sort().map((name) => {
  let svg;
  try {
    svg = read(modules, `@tabler/icons/icons/outline/${name}.svg`);
  } catch {
    throw new Error(`no icon named "${name}" in @tabler/icons`);
  }
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
});

const files = {
  "bootstrap.css": css,
  "htmx.js": htmx,
  "icons.svg": `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`,
  "LICENCE-bootstrap.txt": read(modules, "bootstrap/LICENSE"),
  "LICENCE-htmx.txt": read(modules, "htmx.org/LICENSE"),
  "LICENCE-tabler-icons.txt": read(modules, "@tabler/icons/LICENSE"),
};
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const sums = Object.entries(files).map(([name, text]) => {
  writeFileSync(join(out, name), text);
  return `${createHash("sha256").update(text).digest("hex")}  ${name}`;
});
writeFileSync(join(out, "SHA256SUMS"), sums.join("\n") + "\n");

// The font of printed pages (the handbook's PDF): no page loads it, so it lies beside the code that embeds it.
if (!process.argv[2]) {
  const fonts = resolve(here, "../src/shuke/connect/exporters/fonts");
  mkdirSync(fonts, { recursive: true });
  const noto = join(modules, "@expo-google-fonts/noto-sans-sc");
  copyFileSync(join(noto, "400Regular/NotoSansSC_400Regular.ttf"), join(fonts, "NotoSansSC-Regular.ttf"));
  copyFileSync(join(noto, "LICENSE_FONT"), join(fonts, "LICENCE-NotoSansSC.txt"));
}
for (const [name, text] of Object.entries(files)) console.log(`${String(Buffer.byteLength(text)).padStart(7)}  ${name}`);
