/** Reliability diagrams as they arrive from the kernel, several below each other. */

import { decodeArray } from "../../wire";

export interface Curve {
  temperature: number;
  /** B + 1 ascending edges of B bins. */
  edges: number[];
  counts: number[];
  /** Mean of what is said, and share of what is observed with its 95 % interval. NaN: empty. */
  confidence: number[];
  observed: number[];
  low: number[];
  high: number[];
  /** 1: overconfident, -1: underconfident, 0: neither. */
  way: number[];
  /** Whether the bin departs from the diagonal by more than chance. */
  sure: boolean[];
  numbers: Record<string, number>;
  words: string[];
}

export function readCurves(value: unknown): Curve[] {
  const packed = (value ?? {}) as Record<string, unknown>;
  if (!packed.temperatures) return [];
  const temperatures = decodeArray(packed.temperatures).data;
  const sizes = packed.sizes as number[];
  const names = packed.names as string[];
  const numbers = decodeArray(packed.numbers).data;
  const words = packed.words as string[][];
  const row = (name: string) => {
    const { data, shape } = decodeArray(packed[name]);
    const width = shape[1] ?? 0;
    return (index: number, size: number) => [
      ...data.subarray(index * width, index * width + Math.min(size, width)),
    ];
  };
  const [edges, counts, marks] = [row("edges"), row("counts"), row("marks")];
  const [confidence, observed] = [row("confidence"), row("observed")];
  const [low, high] = [row("low"), row("high")];
  return [...temperatures].map((temperature, i) => {
    const size = sizes[i] ?? 0;
    const marked = marks(i, size);
    return {
      temperature,
      edges: edges(i, size + 1),
      counts: counts(i, size),
      confidence: confidence(i, size),
      observed: observed(i, size),
      low: low(i, size),
      high: high(i, size),
      way: marked.map((mark) => (mark % 3) - 1),
      sure: marked.map((mark) => mark >= 3),
      numbers: Object.fromEntries(
        names.map((name, k) => [name, numbers[i * names.length + k] ?? Number.NaN]),
      ),
      words: words[i] ?? [],
    };
  });
}

/** The index of the curve whose temperature is nearest, by ratio. */
export function nearest(curves: readonly Curve[], temperature: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  curves.forEach((curve, i) => {
    const off = Math.abs(Math.log(curve.temperature / temperature));
    if (off < least) [best, least] = [i, off];
  });
  return best;
}

/** The same temperature but for rounding. */
export function same(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(a, b);
}

/** The full bin whose point lies nearest to a confidence, -1 where all are empty. */
export function binNear(curve: Curve, confidence: number): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  curve.confidence.forEach((said, i) => {
    const off = Math.abs(said - confidence);
    if ((curve.counts[i] ?? 0) > 0 && off < least) [best, least] = [i, off];
  });
  return best;
}

/** The next full bin in a direction, staying at the last one. */
export function binBeside(curve: Curve, from: number | null, step: 1 | -1): number {
  const full = curve.counts.flatMap((count, i) => (count > 0 ? [i] : []));
  if (from === null) return (step > 0 ? full[0] : full.at(-1)) ?? -1;
  const next = step > 0 ? full.find((i) => i > from) : full.findLast((i) => i < from);
  return next ?? from;
}

/** Part of the way from one curve to another of as many bins. */
export function between(from: Curve, to: Curve, share: number): Curve {
  const mix = (a: number[], b: number[]) =>
    b.map((value, i) => {
      const old = a[i] ?? value;
      return Number.isFinite(old) && Number.isFinite(value) ? old + (value - old) * share : value;
    });
  return {
    ...to,
    edges: mix(from.edges, to.edges),
    counts: mix(from.counts, to.counts),
    confidence: mix(from.confidence, to.confidence),
    observed: mix(from.observed, to.observed),
    low: mix(from.low, to.low),
    high: mix(from.high, to.high),
  };
}
