import widget from "../src/views/error_explorer";
import { ExplorerKernel } from "./explorer_kernel";

// ?theme=dark&classes=100&each=180&side=64&width=600&nonfinite=1&pictures=0&overlay=0&metadata&baseline&kind=text&names=a|b
const query = new URLSearchParams(location.search);
const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);

document.body.dataset.jpThemeLight = String(query.get("theme") !== "dark");
const place = document.createElement("div");
place.style.width = `${number("width", 1400)}px`;
document.body.append(place);

const model = new ExplorerKernel({
  classes: number("classes", 10),
  each: number("each", 180),
  side: number("side", 64),
  delay: number("delay", 60),
  nonfinite: query.has("nonfinite"),
  pictures: query.get("pictures") !== "0",
  overlay: query.get("overlay") !== "0",
  kind: (query.get("kind") ?? undefined) as "tabular" | "text" | undefined,
  metadata: query.has("metadata"),
  baseline: query.has("baseline"),
  names: query.get("names")?.split("|"),
});
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
