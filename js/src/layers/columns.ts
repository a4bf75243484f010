import type { Timeline } from "../run";
import type { Cells } from "./series";
import { OK, worse } from "./status";

/** Which samples each pixel column of the heat map stands for: [from, to), empty = nothing. */
export interface Columns {
  from: Int32Array;
  to: Int32Array;
  first: number;
  last: number;
}

/** The last step the axis shows: the newest sample is as wide as the one before it. */
export function axisOf(history: Timeline): { first: number; last: number } {
  const n = history.length;
  if (n === 0) return { first: 1, last: 2 };
  const first = history.steps[0] as number;
  const newest = history.steps[n - 1] as number;
  const before = n > 1 ? (history.steps[n - 2] as number) : newest - 1;
  return { first, last: newest + Math.max(1, newest - before) };
}

/** A pause longer than this many strides stays blank instead of being painted over. */
const GAP = 8;

/** Steps between a sample and the one before it; 1 where there is none. */
function strideAt(history: Timeline, sample: number): number {
  if (sample < 1 || sample >= history.length) return 1;
  return (history.steps[sample] as number) - (history.steps[sample - 1] as number);
}

/**
 * Maps `count` pixel columns, linear in the step number, to samples. A column with several
 * samples takes all of them; one without is filled by the sample before it.
 */
export function columnsOf(history: Timeline, count: number): Columns {
  const { first, last } = axisOf(history);
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const n = history.length;
  const width = (last - first) / count;
  let at = 0; // first sample at or after the column's left end
  for (let c = 0; c < count; c++) {
    const right = first + (c + 1) * width;
    let end = at;
    while (end < n && (history.steps[end] as number) < right) end++;
    if (end > at) {
      from[c] = at;
      to[c] = end;
    } else if (at > 0) {
      const age = first + c * width - (history.steps[at - 1] as number);
      const stride = Math.max(strideAt(history, at - 1), strideAt(history, at + 1));
      from[c] = at - 1;
      to[c] = at < n && age > GAP * stride ? at - 1 : at;
    }
    at = end;
  }
  return { from, to, first, last };
}

/** Blank columns between two samples: [from, to). A pause leaves them. */
export function gapsOf({ from, to }: Columns): [number, number][] {
  const gaps: [number, number][] = [];
  for (let c = 0; c < from.length; c++) {
    if ((to[c] as number) > (from[c] as number)) continue;
    const last = gaps.at(-1);
    if (last && last[1] === c) last[1] = c + 1;
    else gaps.push([c, c + 1]);
  }
  return gaps;
}

/** The samples on both sides of a step that lies in such a gap. */
export function gapAt(history: Timeline, step: number): [number, number] | null {
  const at = history.indexAt(step);
  if (at + 1 >= history.length) return null;
  const stride = Math.max(strideAt(history, at), strideAt(history, at + 2));
  const before = history.steps[at] as number;
  return step - before > GAP * stride ? [before, history.steps[at + 1] as number] : null;
}

/** One row in pixel columns: the mean of log10 values, and the worst status of each column. */
export function squeeze(series: Cells, columns: Columns): { log: Float32Array; status: Int8Array } {
  const count = columns.from.length;
  const log = new Float32Array(count).fill(Number.NaN);
  const status = new Int8Array(count).fill(-1);
  for (let c = 0; c < count; c++) {
    let sum = 0;
    let numbers = 0;
    let code = -1;
    for (let i = columns.from[c] as number; i < (columns.to[c] as number); i++) {
      const s = series.status[i] as number;
      code = code < 0 ? s : worse(code, s);
      const value = series.log[i] as number;
      if (!Number.isNaN(value)) {
        sum += value;
        numbers++;
      }
    }
    if (numbers > 0) log[c] = sum / numbers;
    status[c] = code < 0 && numbers > 0 ? OK : code;
  }
  return { log, status };
}
