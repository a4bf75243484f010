// Bundles every view into one self-contained, minified ESM file and one stylesheet.
//   node build.mjs [--outdir DIR]
import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LIMIT = 100_000; // bytes a file: the bundle is stored and evaluated once for each widget
const here = dirname(fileURLToPath(import.meta.url));

function outdir(argv) {
  const at = argv.indexOf("--outdir");
  if (at < 0) return resolve(here, "..", "nbdiag", "static");
  const value = argv[at + 1];
  if (!value) throw new Error("--outdir needs a folder");
  return resolve(value);
}

function views() {
  const root = join(here, "src", "views");
  const found = {};
  for (const name of readdirSync(root).sort()) {
    const entry = join(root, name, "index.tsx");
    if (statSync(entry, { throwIfNoEntry: false })) found[name] = entry;
  }
  return found;
}

const target = outdir(process.argv.slice(2));
const result = await build({
  entryPoints: views(),
  outdir: target,
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  absWorkingDir: here,
  metafile: true,
  logLevel: "warning",
});

const tooBig = [];
for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  const name = file.split("/").pop();
  console.log(`${name.padEnd(24)} ${(bytes / 1000).toFixed(1).padStart(6)} kB`);
  if (bytes > LIMIT) tooBig.push(name);
}
if (tooBig.length > 0) {
  console.error(`above the limit of ${LIMIT / 1000} kB: ${tooBig.join(", ")}`);
  process.exit(1);
}
