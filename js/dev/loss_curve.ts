import widget from "../src/views/loss_curve";
import { FakeModel } from "./fake_model";
import { lossAppend, losses, lossSnapshot } from "./losses";

// ?theme=dark&steps=400&fault=spikes|nan|diverging|overfitting&state=live&width=600&live=1
const query = new URLSearchParams(location.search);
const read = (name: string, fallback: string) => query.get(name) ?? fallback;
const steps = Number(read("steps", "600"));
const fault = read("fault", "");
const running = query.has("live");

document.body.dataset.jpThemeLight = String(read("theme", "light") === "light");
const place = document.createElement("div");
place.style.width = `${read("width", "1000")}px`;
document.body.append(place);

const live = (at: number) => ({
  state: steps === 0 ? "waiting" : read("state", "live"),
  step: at,
  samples: at,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  budget: 0.03,
  controllable: true,
});
const FOUND: Record<string, [code: string, severity: string, message: string, evidence: object]> = {
  spikes: [
    "loss.unstable",
    "warning",
    "The loss jumped 6 times far above its level.",
    { from_step: Math.ceil(steps / 6), to_step: steps },
  ],
  nan: ["loss.nonfinite", "critical", "The loss is NaN.", { step: Math.ceil(0.7 * steps) }],
  diverging: ["loss.diverging", "critical", "The loss rises.", { from_step: 0.5 * steps }],
  overfitting: ["loss.overfitting", "warning", "Validation turns up.", { from_step: 0.6 * steps }],
};
const [code, severity, message, evidence] = FOUND[fault] ?? [];
const findings = code
  ? [{ code, severity, message, evidence, subject: "loss", remedy: "Lower the learning rate." }]
  : [];
const series = losses(Math.max(1, steps), fault);
const at = running ? Math.floor(steps / 3) : steps;
const model = new FakeModel({
  info: { title: "Loss curve", source: "ResNet" },
  live: live(at),
  findings,
  failures: [],
  snapshot: lossSnapshot(series, at),
});
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
if (running) {
  let sent = at;
  setInterval(() => {
    const to = Math.min(steps, sent + 4);
    if (to > sent) model.message(...lossAppend(series, sent, to, { live: live(to) }));
    sent = to;
  }, 80);
}
