import { type Bytes, DecodeError, decodeAs } from "../wire";

/** The histograms of one parameter: H of them, each with B bins between its own low and high. */
export interface Histograms {
  steps: Float64Array;
  low: Float32Array;
  high: Float32Array;
  /** (H, B) */
  counts: Float32Array;
  bins: number;
  nan: Float32Array;
  infinite: Float32Array;
}

export function decodeHistograms(
  value: Record<string, unknown>,
  buffers?: readonly Bytes[],
): Histograms {
  const floats = (name: string) => decodeAs(value[name], "float32", buffers);
  const steps = decodeAs(value.steps, "float64", buffers).data;
  const counts = floats("counts");
  const [rows, bins] = counts.shape;
  const out = {
    steps,
    low: floats("low").data,
    high: floats("high").data,
    counts: counts.data,
    bins: bins ?? 0,
    nan: floats("nan").data,
    infinite: floats("infinite").data,
  };
  const lengths = [rows, out.low.length, out.high.length, out.nan.length, out.infinite.length];
  if (lengths.some((length) => length !== steps.length)) {
    throw new DecodeError(`histograms of ${steps.length} steps, but columns of ${lengths.join()}`);
  }
  return out;
}

/** Sum of the counts of one histogram. */
export function total(h: Histograms, i: number): number {
  let sum = 0;
  for (let b = 0; b < h.bins; b++) sum += h.counts[i * h.bins + b] as number;
  return sum;
}

/** The value below which a share of one histogram's entries lies; NaN for an empty one. */
export function quantile(h: Histograms, i: number, share: number): number {
  const all = total(h, i);
  const [low, high] = [h.low[i] as number, h.high[i] as number];
  if (all === 0) return Number.NaN;
  let left = share * all;
  for (let b = 0; b < h.bins; b++) {
    const count = h.counts[i * h.bins + b] as number;
    if (count > 0 && left <= count) return low + ((b + left / count) / h.bins) * (high - low);
    left -= count;
  }
  return high;
}

/**
 * Which histograms to draw where there is room for `most`: an even choice in their order that
 * keeps the first and the newest, and never skips one with NaN or infinite entries for a clean one.
 */
export function choose(h: Histograms, most: number): number[] {
  const n = h.steps.length;
  const broken = (i: number) => (h.nan[i] as number) + (h.infinite[i] as number) > 0;
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  const chosen = new Set<number>();
  for (let k = 0; k < most; k++) {
    const from = Math.round((k * n) / most);
    const to = Math.round(((k + 1) * n) / most);
    let pick = k === 0 ? from : to - 1;
    for (let i = to - 1; i >= from; i--) if (broken(i)) pick = i;
    chosen.add(pick);
  }
  chosen.add(n - 1);
  return [...chosen].sort((a, b) => a - b);
}

/** Left out at either end of every histogram: a single entry must not squeeze all the others. */
const TAIL = 0.005;

/** An axis that holds the middle 99 % of each of these histograms. */
export function extent(h: Histograms, which: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const i of which) {
    if (total(h, i) === 0) continue;
    low = Math.min(low, quantile(h, i, TAIL));
    high = Math.max(high, quantile(h, i, 1 - TAIL));
  }
  if (!(low <= high)) return [-1, 1];
  const pad = low === high ? Math.abs(low) * 0.1 || 1e-3 : (high - low) * 0.04;
  return [low - pad, high + pad];
}

/** Round numbers within [low, high], about `most` of them. */
export function linearTicks(low: number, high: number, most: number): number[] {
  const raw = (high - low) / Math.max(1, most);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * magnitude >= raw) ?? 10) * magnitude;
  const out: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) out.push(i * step + 0);
  return out;
}
