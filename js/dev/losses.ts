import type { Bytes } from "../src/wire";
import { inMessage, onTrait } from "./pack";

export type Series = Record<string, [steps: number[], values: number[]]>;

/** A made-up training of so many steps, with the illness asked for. */
export function losses(steps: number, fault = ""): Series {
  let seed = 3;
  const noise = () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return seed / 4_294_967_296 - 0.5;
  };
  const all = Array.from({ length: steps }, (_, i) => i + 1);
  const level = (s: number) => 0.3 + 2 * Math.exp((-5 * s) / steps);
  const loss = all.map((s) => {
    const value = level(s) * (1 + 0.5 * noise());
    if (fault === "spikes" && s % Math.ceil(steps / 6) === 0) return value * 30;
    if (fault === "nan" && s > 0.7 * steps) return Number.NaN;
    if (fault === "diverging" && s > 0.5 * steps) return value * 10 ** ((16 * s) / steps - 8);
    return value;
  });
  const epochs = Array.from({ length: 10 }, (_, i) => Math.round(((i + 1) * steps) / 10));
  const rise = fault === "overfitting" ? 2 : 0;
  return {
    loss: [all, loss],
    train_loss: [epochs, epochs.map((s) => level(s - steps / 20))],
    val_loss: [epochs, epochs.map((s) => 0.05 + level(s) + rise * (s / steps) ** 2)],
    val_accuracy: [epochs, epochs.map((s) => 0.9 - 0.6 * Math.exp((-5 * s) / steps))],
  };
}

function packed(series: Series, from: number, to: number, pack: typeof onTrait) {
  const out: Record<string, unknown> = {};
  for (const [name, [steps, values]] of Object.entries(series)) {
    const first = steps.findIndex((s) => s > from);
    const last = steps.filter((s) => s <= to).length;
    if (first < 0 || first >= last) continue;
    const cut = Float64Array.from(values.slice(first, last));
    const shape = [cut.length];
    const bad = Uint8Array.from(cut, (v) => (Number.isNaN(v) ? 1 : Number.isFinite(v) ? 0 : 2));
    out[name] = {
      start: first,
      total: last,
      steps: pack(Float64Array.from(steps.slice(first, last)), shape),
      values: pack(cut, shape),
      low: pack(cut, shape),
      high: pack(cut, shape),
      bad: pack(bad, shape),
    };
  }
  return out;
}

/** What the `snapshot` trait holds up to a step. */
export function lossSnapshot(series: Series, to = Number.POSITIVE_INFINITY) {
  return { series: packed(series, 0, to, onTrait) };
}

/** A message with the points in (from, to], and its buffers. */
export function lossAppend(series: Series, from: number, to: number, more: object = {}) {
  const buffers: Bytes[] = [];
  const pack = (array: Parameters<typeof onTrait>[0], shape: number[]) =>
    inMessage(array, shape, buffers) as unknown as ReturnType<typeof onTrait>;
  return [{ kind: "append", ...more, series: packed(series, from, to, pack) }, buffers] as const;
}
