import widget from "../src/views/activation_stats";
import { append, info, type Made, snapshot, units } from "./activation_data";
import { FakeModel } from "./fake_model";

// ?theme=dark&layers=60&looks=80&width=600&live=1&state=done
const query = new URLSearchParams(location.search);
const read = (name: string, fallback: string) => query.get(name) ?? fallback;
const count = Number(read("layers", "5"));
const looks = Number(read("looks", "80"));
const state = read("state", "done");
const running = query.has("live");

document.body.dataset.jpThemeLight = String(read("theme", "light") === "light");
const place = document.createElement("div");
place.style.width = `${read("width", "1000")}px`;
document.body.append(place);

const made: Made[] = Array.from({ length: count }, (_, i) => ({
  name: count > 10 ? `layer${1 + Math.floor(i / 6)}.${i % 6}.relu` : `act${i}`,
  kind: i === 3 ? "Tanh" : "ReLU",
  units: 32 << (i % 5),
  off: i % 3 === 0 ? 9 : 0,
  bounded: i === 3,
  nanFrom: i === 4 ? 70 : undefined,
}));
const live = (step: number) => ({
  state,
  step,
  samples: step,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  controllable: true,
});
const at = running ? Math.floor(looks / 3) : looks;
const model = new FakeModel({
  info: { title: "Activations", source: "Sequential", layers: info(made), notes: [] },
  live: live(at * 5),
  findings: [],
  failures: [],
  snapshot: snapshot(made, at),
});
const send = model.send.bind(model);
model.send = (content) => {
  send(content);
  const { name, args } = content as { name: string; args: { track: number } };
  const asked = made[args.track];
  if (name === "units" && asked) setTimeout(() => model.reply(...units(asked, looks)), 30);
};
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
if (running) {
  let sent = at;
  setInterval(() => {
    if (sent >= looks) return;
    model.message(...append(made, sent, sent + 1, sent - at + 1, { live: live(sent * 5) }));
    sent += 1;
  }, 120);
}
