// Bundles the pages of this folder into dev/out: look at the widgets without Jupyter.
//   node dev/build.mjs && open "dev/out/gradient_flow.html?theme=dark&layers=60"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "out");
const views = join(here, "..", "src", "views");
const pages = readdirSync(here)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .filter((name) => readdirSync(views).includes(name));
mkdirSync(out, { recursive: true });
await build({
  entryPoints: [...pages.map((name) => join(here, `${name}.ts`)), join(here, "page.css")],
  outdir: out,
  bundle: true,
  format: "iife", // a page opened as a file cannot load modules
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
for (const name of pages) {
  const html = `<!doctype html><meta charset="utf-8"><title>${name}</title>
<link rel="stylesheet" href="page.css"><link rel="stylesheet" href="${name}.css">
<body><script src="${name}.js"></script></body>
`;
  writeFileSync(join(out, `${name}.html`), html);
  console.log(join("dev", "out", `${name}.html`));
}
