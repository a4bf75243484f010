/** A kernel that lives in the page: two classes whose logits are `truth` times too large. */

import { random } from "./explorer_data";
import { FakeModel } from "./fake_model";
import { onTrait } from "./pack";

interface Options {
  samples: number;
  truth: number;
  bins: number;
  of: number;
  at: number;
  delay: number;
}

const NAMES = "ece mce mce_bin brier nll floor floor_low floor_high said true n".split(" ");

interface Counted {
  confidence: number[];
  observed: number[];
  counts: number[];
  low: number[];
  high: number[];
  marks: number[];
  numbers: number[];
  words: string[];
}

export class CalibrationKernel extends FakeModel {
  private readonly margins: number[];
  private readonly labels: boolean[];
  private settings: { bins: number; of: number; strategy: string };

  constructor(private readonly options: Options) {
    super();
    const next = random(3);
    const normal = () => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
    this.margins = Array.from({ length: options.samples }, () => 3.2 * normal() + 0.8);
    this.labels = this.margins.map((m) => next() < 1 / (1 + Math.exp(-m / options.truth)));
    this.settings = { bins: options.bins, of: options.of, strategy: "equal_width" };
    const fitted = { value: options.truth, low: options.truth * 0.93, high: options.truth * 1.07 };
    this.put("info", {
      title: "Calibration",
      source: "ResNet",
      samples: options.samples,
      nonfinite: 3,
      classes: ["cat", "dog"],
      output: "softmax of 2 logits",
      fixed: "",
      advice:
        "Temperature 2.00 (1.86 to 2.14) brings NLL 0.512 to 0.431, in-sample: it was fitted on these very samples, and looks better on them than it is.",
      in_sample: true,
      fitted: { ...fitted, n: options.samples },
      nll: [0.51, 0.43],
    });
    this.put("findings", [
      {
        code: "calibration.overconfident",
        severity: "warning",
        subject: "top label",
        message:
          "Overconfident from 66.7 to 100 %: it says 93 % on average there and is right in 84 %.",
        evidence: {},
        remedy: "Fit a temperature on a held-out split.",
      },
    ]);
    this.put("temperature", options.at);
    this.publish();
    this.sweep();
  }

  override send(content: unknown): void {
    super.send(content);
    const { id, name, args } = content as { id: string; name: string; args: never };
    setTimeout(() => this.answer(id, name, args), this.options.delay);
  }

  private answer(id: string, name: string, args: { value: number; bins: number; of: number }) {
    if (name === "temperature") {
      this.put("temperature", args.value);
      this.publish();
    } else if (name === "settings") {
      this.settings = { ...this.settings, bins: args.bins, of: args.of };
      this.publish();
      this.sweep();
    }
    this.message({ kind: "reply", id, ok: true, result: { selection: 123 } });
  }

  private publish(): void {
    const { of } = this.settings;
    this.put("settings", {
      ...this.settings,
      x: of < 0 ? "confidence of the predicted class" : "probability said for cat",
      y: of < 0 ? "share that is right" : "share that is cat",
    });
    this.put("diagrams", this.pack([1, Number(this.get("temperature"))]));
  }

  private sweep(): void {
    const grid = Array.from({ length: 49 }, (_, i) => Math.exp(-1.61 + (3.22 * i) / 48));
    const all = [...grid, 1, this.options.truth].sort((a, b) => a - b);
    this.put("curves", { ...this.pack(all), rows: null });
  }

  private pack(temperatures: number[]) {
    const { bins } = this.settings;
    const rows = temperatures.map((t) => this.count(t));
    const flat = (name: "confidence" | "observed" | "low" | "high") =>
      onTrait(Float32Array.from(rows.flatMap((row) => row[name])), [rows.length, bins]);
    const edges = rows.flatMap(() => Array.from({ length: bins + 1 }, (_, i) => i / bins));
    return {
      confidence: flat("confidence"),
      observed: flat("observed"),
      low: flat("low"),
      high: flat("high"),
      edges: onTrait(Float32Array.from(edges), [rows.length, bins + 1]),
      counts: onTrait(Float64Array.from(rows.flatMap((r) => r.counts)), [rows.length, bins]),
      marks: onTrait(Uint8Array.from(rows.flatMap((r) => r.marks)), [rows.length, bins]),
      sizes: rows.map(() => bins),
      temperatures: onTrait(Float64Array.from(temperatures), [rows.length]),
      numbers: onTrait(Float64Array.from(rows.flatMap((r) => r.numbers)), [
        rows.length,
        NAMES.length,
      ]),
      names: NAMES,
      words: rows.map((row) => row.words),
    };
  }

  private count(temperature: number): Counted {
    const { bins, of } = this.settings;
    const n = this.margins.length;
    const [counts, said, hits] = [0, 1, 2].map(() => new Array<number>(bins).fill(0)) as [
      number[],
      number[],
      number[],
    ];
    this.margins.forEach((margin, i) => {
      const own = 1 / (1 + Math.exp(-margin / temperature));
      const p = of < 0 ? Math.max(own, 1 - own) : own;
      const bin = Math.min(bins - 1, Math.floor(p * bins));
      const hit = of < 0 ? margin > 0 === this.labels[i] : this.labels[i];
      counts[bin] = (counts[bin] ?? 0) + 1;
      said[bin] = (said[bin] ?? 0) + p;
      hits[bin] = (hits[bin] ?? 0) + Number(hit);
    });
    const confidence = said.map((sum, b) => sum / (counts[b] || Number.NaN));
    const observed = hits.map((sum, b) => sum / (counts[b] || Number.NaN));
    const half = observed.map((o, b) => 1.96 * Math.sqrt((o * (1 - o) + 0.05) / (counts[b] || 1)));
    const gap = confidence.map((c, b) => c - (observed[b] ?? 0));
    const weighted = gap.map((g, b) => ((counts[b] ?? 0) * Math.abs(g || 0)) / n);
    const ece = weighted.reduce((a, b) => a + b, 0);
    return {
      ...{ confidence, observed, counts },
      low: observed.map((o, b) => Math.max(0, o - (half[b] ?? 0))),
      high: observed.map((o, b) => Math.min(1, o + (half[b] ?? 0))),
      marks: gap.map((g, b) => {
        const way = Math.sign(g || 0) * (of >= 0 && (confidence[b] ?? 0) < 0.5 ? -1 : 1);
        return way + 1 + (Math.abs(g) > 1.5 * (half[b] ?? 1) ? 3 : 0);
      }),
      numbers: [ece, Math.max(...gap.map((g) => Math.abs(g || 0))), bins - 1, 0.14, 0.5].concat([
        0.014,
        0.008,
        0.022,
        0.9,
        0.8,
        n,
      ]),
      words: [
        temperature < this.options.truth * 0.9
          ? "Overconfident from 66.7 to 100 %: it says 93 % on average there and is right in 84 % of 2,893 samples."
          : "As well calibrated as these samples can tell.",
        `ECE ${ece.toFixed(3)}; a perfectly calibrated model shows 0.008 to 0.022 at ${n} samples.`,
      ],
    };
  }
}
