import widget from "../src/views/weight_distribution";
import { FakeModel } from "./fake_model";
import { histogramReply, histogramTrait } from "./histogram_data";
import { layerNames, snapshot, train } from "./training";

// ?theme=dark&layers=60&steps=400&fault=nan&width=600
const query = new URLSearchParams(location.search);
const read = (name: string, fallback: string) => query.get(name) ?? fallback;
const steps = Number(read("steps", "400"));
const nan = read("fault", "") === "nan";

document.body.dataset.jpThemeLight = String(read("theme", "light") === "light");
const place = document.createElement("div");
place.style.width = `${read("width", "1000")}px`;
document.body.append(place);

const layers = layerNames(Number(read("layers", "6"))).map((layer) => ({
  ...layer,
  parameters: [`${layer.name}.weight`, `${layer.name}.bias`],
}));
const data = train(steps, layers.length, { nan });
const histograms = histogramTrait(24, nan ? { nanFrom: 18 } : {});
const model = new FakeModel({
  info: { title: "Weight distribution", source: "Sequential", layers },
  live: { state: "done", step: steps, samples: steps, every: "auto", stride: 1, probe_share: 0.01 },
  findings: [],
  failures: [],
  snapshot: {
    ...snapshot(data),
    histograms: { weight: steps, gradient: steps },
    first: { parameter: layers[0]?.parameters[0], weight: histograms, gradient: histograms },
  },
});
const send = model.send.bind(model);
model.send = (content) => {
  send(content);
  const { name } = content as { name: string };
  if (name === "histograms") setTimeout(() => model.reply(...histogramReply(24)), 30);
};
const definition = widget();
const { signal } = new AbortController();
definition.initialize({ model, signal });
definition.render({ model, el: place, signal });
