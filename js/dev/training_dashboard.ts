import widget from "../src/views/training_dashboard";
import { FakeModel } from "./fake_model";
import { vitals } from "./vitals";

// ?theme=dark&steps=400&sick=1&state=live&width=600
const query = new URLSearchParams(location.search);
const read = (name: string, fallback: string) => query.get(name) ?? fallback;
const steps = Number(read("steps", "400"));

document.body.dataset.jpThemeLight = String(read("theme", "light") === "light");
const place = document.createElement("div");
place.style.width = `${read("width", "1000")}px`;
document.body.append(place);

const finding = {
  code: "gradient.vanishing",
  severity: "critical",
  subject: "0",
  message: "4 of 7 layers hardly learn.",
  remedy: "Use ReLU and normalisation layers.",
  evidence: {},
};
const model = new FakeModel({
  info: { title: "Training", source: "ResNet" },
  live: {
    state: steps === 0 ? "waiting" : read("state", "live"),
    step: steps,
    samples: steps,
    every: "auto",
    stride: 1,
    probe_share: 0.0123,
    budget: 0.03,
    controllable: true,
  },
  findings: query.has("sick") ? [finding] : [],
  failures: [],
  snapshot: vitals(steps),
});
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
