import widget from "../src/views/gradient_flow";
import { FakeModel } from "./fake_model";
import { append, layerNames, snapshot, train } from "./training";

// ?theme=dark&layers=60&steps=400&fault=nan&state=live&width=600&live=1
const query = new URLSearchParams(location.search);
const read = (name: string, fallback: string) => query.get(name) ?? fallback;
const layers = Number(read("layers", "6"));
const steps = Number(read("steps", "400"));
const state = read("state", "live");
const fault = read("fault", "");
const running = query.has("live");

document.body.dataset.jpThemeLight = String(read("theme", "light") === "light");
const place = document.createElement("div");
place.style.width = `${read("width", "1000")}px`;
document.body.append(place);

const names = layerNames(layers);
const data = train(Math.max(1, steps), names.length, {
  vanishing: fault === "vanishing",
  nan: fault === "nan",
});
const live = (at: number, now = state) => ({
  state: now,
  step: at,
  samples: at,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  controllable: true,
});
const findings = {
  vanishing: {
    code: "gradient.vanishing",
    severity: "critical",
    subject: names[0]?.name,
    message: `The first layers hardly learn: the gradient of ${names[0]?.name} is 10,000 times smaller than that of ${names.at(-1)?.name}, relative to their weights.`,
    remedy:
      "Use ReLU instead of sigmoid, add normalisation or residual connections, and He initialisation.",
    evidence: {},
  },
  nan: {
    code: "gradient.nonfinite",
    severity: "critical",
    subject: names.at(-2)?.name,
    message: `The gradient of ${names.at(-2)?.name} became infinite at step 305 and NaN from step 321 on.`,
    remedy:
      "Lower the learning rate, clip the gradient norm, and look for a log or a division by zero in the loss.",
    evidence: {},
  },
  none: {
    code: "gradient.none",
    severity: "warning",
    subject: names[2]?.name,
    message: `${names[2]?.name} requires a gradient and never got one.`,
    remedy: "Check that the layer is used in forward() and that its output is not detached.",
    evidence: {},
  },
};
const at = running ? Math.floor(steps / 3) : steps;
const model = new FakeModel({
  info: {
    title: "Gradient flow",
    source: layers > 80 ? "GPT2LMHeadModel" : layers > 10 ? "ResNet" : "Sequential",
    layers: names,
  },
  live: live(at, steps === 0 ? "waiting" : state),
  findings:
    fault === "vanishing"
      ? [findings.vanishing]
      : fault === "nan"
        ? [findings.nan, findings.none]
        : [],
  failures:
    state === "failed"
      ? [{ probe: "gradient norms", reason: "the model was moved to another device" }]
      : [],
  snapshot: steps > 0 ? snapshot(data, at) : null,
});
if (query.has("disconnected")) setTimeout(() => model.trigger("comm_live_update"), 50);
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
if (running) {
  let sent = at;
  setInterval(() => {
    if (sent >= steps) return;
    const to = Math.min(steps, sent + 4);
    model.message(...append(data, sent, to, { live: live(to) }));
    sent = to;
  }, 80);
}
