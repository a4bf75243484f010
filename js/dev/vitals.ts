import { onTrait } from "./pack";

const PILLARS: [name: string, code: string, label: string, value: (t: number) => number][] = [
  ["loss", "loss.", "loss", (t) => 0.3 + Math.exp(-4 * t)],
  ["gradients", "gradient.", "gradient norm, all layers", (t) => 1 + 0.3 * Math.sin(20 * t)],
  ["activations", "activation.", "units off, mean of layers", () => 0.25],
  ["weights", "weight.", "update / weights, median layer", (t) => 1e-3 * (2 - t)],
];

/** What the `snapshot` trait of a dashboard holds after so many steps. */
export function vitals(steps: number) {
  const n = Math.min(120, steps);
  const all = Float64Array.from({ length: n }, (_, i) => ((i + 1) * steps) / n);
  return {
    vitals: PILLARS.map(([name, code, label, value]) => ({
      name,
      code,
      label,
      steps: onTrait(all, [n]),
      values: onTrait(
        all.map((step) => value(step / steps)),
        [n],
      ),
    })),
  };
}
