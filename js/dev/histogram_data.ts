import type { Bytes, TypedArray } from "../src/wire";
import { inMessage, onTrait } from "./pack";

const BINS = 40;

export interface HistogramOptions {
  /** From this histogram on, entries are NaN. */
  nanFrom?: number;
  /** How much wider the last one is than the first. */
  spread?: number;
}

type Packer = (array: TypedArray, shape: number[]) => unknown;

function packed(count: number, { nanFrom = count, spread = 2 }: HistogramOptions, pack: Packer) {
  const steps = new Float64Array(count);
  const [low, high] = [new Float32Array(count), new Float32Array(count)];
  const [nan, infinite] = [new Float32Array(count), new Float32Array(count)];
  const counts = new Float32Array(count * BINS);
  for (let i = 0; i < count; i++) {
    steps[i] = Math.round(1.25 ** i) + i;
    const wide = spread ** (i / Math.max(1, count - 1));
    low[i] = -wide;
    high[i] = 1.2 * wide;
    for (let b = 0; b < BINS; b++) {
      counts[i * BINS + b] = Math.round(400 * Math.exp(-(((b - 18) / 7) ** 2)));
    }
    if (i >= nanFrom) nan[i] = 17;
  }
  return {
    steps: pack(steps, [count]),
    low: pack(low, [count]),
    high: pack(high, [count]),
    counts: pack(counts, [count, BINS]),
    nan: pack(nan, [count]),
    infinite: pack(infinite, [count]),
  };
}

/** Made-up histograms as a trait carries them. */
export function histogramTrait(count: number, options: HistogramOptions = {}) {
  return packed(count, options, onTrait);
}

/** The same as a reply, and its buffers. */
export function histogramReply(count: number, options: HistogramOptions = {}) {
  const buffers: Bytes[] = [];
  const result = packed(count, options, (array, shape) => inMessage(array, shape, buffers));
  return [result, buffers] as const;
}
