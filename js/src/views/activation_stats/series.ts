import { type Cells, INF, NAN, OK, UNKNOWN, worse } from "../../layers";
import { FIELDS, type Field, type Looks } from "./looks";
import { blockAt, type Summary } from "./units";

/** What the history shows: units that were off in a block of time, or a number of each look. */
export type Measure = "off" | Exclude<Field, "std">;

/** One activation's number at one look, and its status. */
function read(
  looks: Looks,
  summary: Summary | null,
  measure: Measure,
  sample: number,
  activation: number,
): [number, number] {
  if (!looks.seen(sample, activation)) return [Number.NaN, UNKNOWN];
  const mean = looks.value(sample, activation, "mean");
  const broken = Number.isNaN(mean) ? NAN : Number.isFinite(mean) ? OK : INF;
  if (measure === "off") {
    const block = summary ? blockAt(summary, activation, looks.steps[sample] as number) : -1;
    if (block >= 0 && broken === OK) return [summary?.off[block] as number, OK];
    return [Number.NaN, broken === OK ? UNKNOWN : broken];
  }
  if (broken !== OK) return [Number.NaN, broken];
  return [looks.value(sample, activation, measure), OK];
}

/** One row over time: an activation, or the mean of a group of them. */
export function seriesOf(
  looks: Looks,
  summary: Summary | null,
  measure: Measure,
  activations: readonly number[],
): Cells {
  const log = new Float32Array(looks.length).fill(Number.NaN);
  const status = new Uint8Array(looks.length);
  for (let sample = 0; sample < looks.length; sample++) {
    let sum = 0;
    let numbers = 0;
    let code = -1;
    for (const activation of activations) {
      const [value, own] = read(looks, summary, measure, sample, activation);
      code = code < 0 ? own : worse(code, own);
      if (!Number.isNaN(value)) {
        sum += value;
        numbers += 1;
      }
    }
    if (numbers > 0) log[sample] = sum / numbers;
    status[sample] = Math.max(0, code);
  }
  return { log, status };
}

/** The numbers of a row at one look: the mean over a group; NaN where there is none. */
export function numbersAt(
  looks: Looks,
  sample: number,
  activations: readonly number[],
): Record<Field, number> & { status: number } {
  const out = { mean: 0, std: 0, zeros: 0, saturated: 0, status: UNKNOWN };
  let numbers = 0;
  let status = -1;
  for (const activation of activations) {
    const [, own] = sample < 0 ? [0, UNKNOWN] : read(looks, null, "mean", sample, activation);
    status = status < 0 ? own : worse(status, own);
    if (own !== OK) continue;
    for (const field of FIELDS) out[field] += looks.value(sample, activation, field);
    numbers += 1;
  }
  for (const field of FIELDS) out[field] = numbers > 0 ? out[field] / numbers : Number.NaN;
  return { ...out, status: Math.max(0, status) };
}

/** The largest mean, as an absolute value, for an axis around zero. */
export function meanReach(looks: Looks): number {
  let most = 0;
  for (let sample = 0; sample < looks.length; sample++) {
    for (let i = 0; i < looks.activations; i++) {
      const value = Math.abs(looks.value(sample, i, "mean"));
      if (Number.isFinite(value)) most = Math.max(most, value);
    }
  }
  return most || 1;
}
