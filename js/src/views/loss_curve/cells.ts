import { FINITE, type Track } from "./track";

/** A series at the resolution of the screen: one cell a pixel column that holds points. */
export interface Cells {
  /** (m,) mean step, mean, least and greatest value, worst status of each cell. */
  steps: Float64Array;
  mean: Float64Array;
  low: Float64Array;
  high: Float64Array;
  bad: Uint8Array;
  length: number;
}

/** Puts the points into `columns` columns from `first` to `last`; empty columns are left out. */
export function cellsOf(track: Track, first: number, last: number, columns: number): Cells {
  const size = Math.min(columns, track.length);
  const cells: Cells = {
    steps: new Float64Array(size),
    mean: new Float64Array(size),
    low: new Float64Array(size),
    high: new Float64Array(size),
    bad: new Uint8Array(size),
    length: 0,
  };
  const width = (last - first) / columns || 1;
  let i = 0;
  while (i < track.length) {
    const column = Math.floor(((track.steps[i] as number) - first) / width);
    let [stepSum, sum, points, known] = [0, 0, 0, 0];
    let [low, high, bad] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, FINITE];
    for (; i < track.length; i++) {
      const step = track.steps[i] as number;
      if (Math.min(columns - 1, Math.floor((step - first) / width)) > column) break;
      const value = track.values[i] as number;
      stepSum += step;
      points++;
      if (Number.isFinite(value)) {
        sum += value;
        known++;
        low = Math.min(low, track.low[i] as number);
        high = Math.max(high, track.high[i] as number);
      }
      const status = track.bad[i] as number;
      if (status !== FINITE && (bad === FINITE || status < bad)) bad = status;
    }
    const at = cells.length++;
    cells.steps[at] = stepSum / points;
    cells.mean[at] = known > 0 ? sum / known : Number.NaN;
    cells.low[at] = known > 0 ? low : Number.NaN;
    cells.high[at] = known > 0 ? high : Number.NaN;
    cells.bad[at] = bad;
  }
  return cells;
}

/**
 * A mean over neighbours, weighed by exp(-distance / reach) on both sides alike, so that the line
 * does not lag behind. What is no number stays none and counts for nothing; so does what is left
 * out: a spike would raise the line on both sides of it. With `log` it is the geometric mean, which
 * goes through the middle of the band on a log axis.
 */
export function smooth(
  cells: Cells,
  reach: number,
  leftOut: readonly number[] = [],
  log = false,
): Float64Array {
  const { length: n, steps } = cells;
  const mean = log
    ? cells.mean.map((value) => (value > 0 ? Math.log10(value) : Number.NaN))
    : cells.mean;
  const out = mean.slice(0, n);
  if (!(reach > 0) || n < 2) return cells.mean.slice(0, n);
  const own = new Float64Array(n).map((_, i) => (Number.isFinite(mean[i]) ? 1 : 0));
  for (const i of leftOut) own[i] = 0;
  const weight = own.slice();
  for (let i = 0; i < n; i++) if (own[i] === 0) out[i] = Number.isFinite(mean[i]) ? 0 : Number.NaN;
  const pass = (order: (k: number) => number) => {
    let [sum, mass] = [0, 0];
    for (let k = 0; k < n; k++) {
      const i = order(k);
      if (k > 0) {
        const gap = Math.abs((steps[i] as number) - (steps[order(k - 1)] as number));
        const decay = Math.exp(-gap / reach);
        sum *= decay;
        mass *= decay;
      }
      // What was gathered up to the neighbour: the point itself is in there from the start.
      out[i] = (out[i] as number) + sum;
      weight[i] = (weight[i] as number) + mass;
      if (own[i] === 1) {
        sum += mean[i] as number;
        mass += 1;
      }
    }
  };
  pass((k) => k);
  pass((k) => n - 1 - k);
  const averages = out.map((total, i) => total / (weight[i] as number));
  return log ? averages.map((value) => 10 ** value) : averages;
}

const AROUND = 12; // cells on either side that make the level
const FEWEST = 24; // cells below which there is no "usual"
const OUTLIER = 8; // times the usual scatter
const MOST = 40;

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? Number.NaN;
}

/** Of one side: its median; of a few cells, which have no usual, the highest. */
function levelOf(side: readonly number[]): number {
  if (side.length === 0) return Number.POSITIVE_INFINITY;
  return side.length < 4 ? Math.max(...side) : median([...side]);
}

/** Cells whose greatest value stands out far from the level and the scatter around it. */
export function spikesOf(cells: Cells): number[] {
  const { length: n, mean, high } = cells;
  if (n < FEWEST) return [];
  const excess = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const sides: [number[], number[]] = [[], []];
    const tops: number[] = [];
    for (let j = Math.max(0, i - AROUND); j <= Math.min(n - 1, i + AROUND); j++) {
      if (j === i || !Number.isFinite(mean[j])) continue;
      sides[j < i ? 0 : 1].push(mean[j] as number);
      tops.push(high[j] as number);
    }
    const means = sides.flat();
    if (means.length < AROUND) continue;
    const level = median([...means]);
    // Higher than what came before and than what came after: the first steps of a steep fall and
    // the last of a divergence tower over one side only.
    const over = (high[i] as number) - level;
    if (!sides.every((side) => (high[i] as number) - levelOf(side) > 0.5 * over)) continue;
    const scatter = 1.4826 * median(means.map((value) => Math.abs(value - level)));
    const usual = Math.max(scatter, median(tops.map((value) => Math.abs(value - level))));
    // A tenth of the level at least: on a flat line anything is far from the usual.
    if (over > OUTLIER * usual && over > 0.1 * Math.abs(level)) excess[i] = over;
  }
  const found: number[] = [];
  for (let i = 0; i < n; i++) {
    const own = excess[i] as number;
    // One mark for a spike that is several cells wide: at its top.
    if (own > 0 && own >= (excess[i - 1] ?? 0) && own > (excess[i + 1] ?? 0)) found.push(i);
  }
  return found
    .sort((a, b) => (excess[b] as number) - (excess[a] as number))
    .slice(0, MOST)
    .sort((a, b) => a - b);
}
