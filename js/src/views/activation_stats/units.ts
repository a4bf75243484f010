import { num } from "../../run";
import { type Bytes, DecodeError, decodeAs } from "../../wire";

/** What a unit did over all inputs seen. The numbers come from the kernel. */
export const DEAD = 0;
export const SILENT = 1;
export const STUCK = 4;
export const STATES = 7;

export interface StateWords {
  /** In the legend: what it means. */
  text: string;
  /** In a sentence about one unit. */
  word: string;
}

export const WORDS: readonly StateWords[] = [
  { word: "dead", text: "dead: never active (above zero) in any input seen" },
  { word: "fell silent", text: "fell silent: not active in the later half of the inputs" },
  { word: "now and then", text: "active now and then" },
  { word: "always active", text: "active for every value" },
  { word: "stuck", text: "stuck: at an end for 90 % of its values in the later half" },
  { word: "partly at an end", text: "at an end for 5 to 90 % of its values" },
  { word: "free", text: "hardly ever at an end" },
];

/** Of every activation: inputs seen, units by state, and who was off in each block of time. */
export interface Summary {
  seen: Float64Array;
  /** (A, 7) */
  counts: Int32Array;
  /** (A + 1,) where the blocks of each begin. */
  begins: Int32Array;
  first: Int32Array;
  last: Int32Array;
  inputs: Float64Array;
  /** Share of units never active in that block; of a bounded activation, of stuck ones. */
  off: Float32Array;
}

export function decodeSummary(
  value: Record<string, unknown>,
  activations: number,
  buffers?: readonly Bytes[],
): Summary {
  const counts = decodeAs(value.counts, "int32", buffers).data;
  const lengths = decodeAs(value.lengths, "int32", buffers).data;
  if (lengths.length !== activations || counts.length !== activations * STATES) {
    throw new DecodeError(`units of ${lengths.length} activations, not of ${activations}`);
  }
  const begins = new Int32Array(activations + 1);
  lengths.forEach((length, i) => {
    begins[i + 1] = (begins[i] as number) + length;
  });
  return {
    seen: decodeAs(value.seen, "float64", buffers).data,
    counts,
    begins,
    first: decodeAs(value.first, "int32", buffers).data,
    last: decodeAs(value.last, "int32", buffers).data,
    inputs: decodeAs(value.inputs, "float64", buffers).data,
    off: decodeAs(value.off, "float32", buffers).data,
  };
}

/** The block of an activation that holds a step, or -1. */
export function blockAt(summary: Summary, activation: number, step: number): number {
  let low = summary.begins[activation] as number;
  let high = (summary.begins[activation + 1] as number) - 1;
  if (high < low) return -1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((summary.first[middle] as number) <= step) low = middle;
    else high = middle - 1;
  }
  return (summary.first[low] as number) <= step ? low : -1;
}

/** One activation, unit by unit. B blocks of time, U units of `total`. */
export interface Units {
  seen: number;
  total: number;
  /** (U,) numbers of the units. */
  units: Int32Array;
  states: Uint8Array;
  lastActive: Float64Array;
  /** (U,) inputs looked at since it was last active. */
  since: Float64Array;
  first: Float64Array;
  last: Float64Array;
  inputs: Float64Array;
  /** (B, U) 0 to 65535, both ends exact. */
  activity: Uint16Array;
  saturation: Uint16Array | null;
}

export const FULL = 65535;

export function decodeUnits(value: Record<string, unknown>, buffers: readonly Bytes[]): Units {
  const floats = (name: string) => decodeAs(value[name], "float64", buffers).data;
  const activity = decodeAs(value.activity, "uint16", buffers);
  const units = decodeAs(value.units, "int32", buffers).data;
  if (activity.shape[1] !== units.length) {
    throw new DecodeError(`${activity.shape[1]} columns for ${units.length} units`);
  }
  return {
    seen: num(value.seen),
    total: num(value.total),
    units,
    states: decodeAs(value.states, "uint8", buffers).data,
    lastActive: floats("last_active"),
    since: floats("since"),
    first: floats("first"),
    last: floats("last"),
    inputs: floats("inputs"),
    activity: activity.data,
    saturation: value.saturation ? decodeAs(value.saturation, "uint16", buffers).data : null,
  };
}

/** Mean share of each unit over the inputs of all blocks, (U,) 0 to 1. */
export function overall({ units, inputs }: Units, shares: Uint16Array): Float64Array {
  const out = new Float64Array(units.length);
  let sum = 0;
  inputs.forEach((n, b) => {
    sum += n;
    for (let u = 0; u < out.length; u++) {
      out[u] = (out[u] as number) + n * (shares[b * out.length + u] as number);
    }
  });
  return out.map((value) => value / (FULL * Math.max(1, sum)));
}

export type Order = "activity" | "number";

/** Indices of the units, in order: by number, or the busiest first and the dead ones last. */
export function ordered(units: Units, shares: Uint16Array, order: Order): number[] {
  const indices = Array.from(units.units.keys());
  if (order === "number") return indices;
  const mean = overall(units, shares);
  return indices.sort((a, b) => (mean[b] as number) - (mean[a] as number) || a - b);
}
