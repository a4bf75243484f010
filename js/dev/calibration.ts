import widget from "../src/views/calibration";
import { CalibrationKernel } from "./calibration_kernel";

// ?theme=dark&width=600&samples=4000&truth=2&of=0&bins=15&at=2
const query = new URLSearchParams(location.search);
const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);

document.body.dataset.jpThemeLight = String(query.get("theme") !== "dark");
const place = document.createElement("div");
place.style.width = `${number("width", 1400)}px`;
document.body.append(place);

const model = new CalibrationKernel({
  samples: number("samples", 4000),
  truth: number("truth", 2),
  bins: number("bins", 15),
  of: number("of", -1),
  at: number("at", 1),
  delay: number("delay", 60),
});
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
