import type { History } from "./history";
import { FROZEN, INF, NAN, OK, UNDEFINED, UNKNOWN, worse, ZERO } from "./status";

/**
 * Norm of the gradient; the same over the norm of the weights; norm of the weights; norm of what
 * a step changed over the norm of the weights.
 */
export type Metric = "norm" | "relative" | "weight" | "update";

/** One layer's number at one sample: its log10 where it has one, and its status. */
function read(history: History, metric: Metric, at: number): [number, number] {
  const status = history.status[at] as number;
  const weight = history.weights[at] as number;
  if (metric === "weight") return logOf(weight, 1);
  if (metric === "update") {
    if (status === FROZEN) return [Number.NaN, FROZEN];
    const change = history.updates[at] as number;
    // Unknown, and not broken: no update was seen, and the weights are sound.
    if (Number.isNaN(change) && Number.isFinite(weight)) return [Number.NaN, UNKNOWN];
    return logOf(change, weight);
  }
  if (status !== OK) return [Number.NaN, status];
  return logOf(history.norms[at] as number, metric === "relative" ? weight : 1);
}

/** log10 of value over unit, or what stands in the way of one. */
function logOf(value: number, unit: number): [number, number] {
  let status = NAN;
  if (Number.isNaN(value) || Number.isNaN(unit)) status = NAN;
  else if (value === Number.POSITIVE_INFINITY) status = INF;
  else if (unit === 0) status = UNDEFINED;
  else if (value === 0 || unit === Number.POSITIVE_INFINITY) status = ZERO;
  else return [Math.log10(value) - Math.log10(unit), OK];
  return [Number.NaN, status];
}

/** A row of the heat map: a number and a status a sample. */
export interface Cells {
  /** NaN where there is none. */
  readonly log: ArrayLike<number>;
  readonly status: ArrayLike<number>;
}

function grown<A extends Float32Array | Uint8Array>(old: A, next: A): A {
  next.set(old);
  return next;
}

/**
 * The time series of one row: a layer, or a group of layers (the median of those that have a
 * number; the worst status). It follows the history, working out only what is new.
 */
export class Series implements Cells {
  /** log10 of the value, NaN where there is none. (T,) */
  log = new Float32Array(0);
  status = new Uint8Array(0);
  /** Range of `log` over the run. Infinity and -Infinity while there is no number. */
  low = Number.POSITIVE_INFINITY;
  high = Number.NEGATIVE_INFINITY;
  /** Every status that occurred. */
  seen = new Set<number>();
  #length = 0;
  #epoch = -1;

  constructor(
    readonly history: History,
    readonly metric: Metric,
    readonly layers: readonly number[],
  ) {}

  follow(): this {
    const { history } = this;
    if (this.#epoch !== history.epoch) {
      this.#epoch = history.epoch;
      this.#length = 0;
      this.low = Number.POSITIVE_INFINITY;
      this.high = Number.NEGATIVE_INFINITY;
      this.seen.clear();
    }
    if (this.log.length < history.length) {
      const capacity = Math.max(64, history.length * 2);
      this.log = grown(this.log, new Float32Array(capacity));
      this.status = grown(this.status, new Uint8Array(capacity));
    }
    for (; this.#length < history.length; this.#length++) this.#add(this.#length);
    return this;
  }

  /** log10 of each layer of a group at one sample, those without a number left out. */
  members(sample: number): number[] {
    const { history, metric } = this;
    return this.layers
      .map((layer) => read(history, metric, sample * history.layers + layer)[0])
      .filter((value) => !Number.isNaN(value));
  }

  #add(sample: number): void {
    const { history, metric } = this;
    const values: number[] = [];
    let status = -1;
    for (const layer of this.layers) {
      const [value, code] = read(history, metric, sample * history.layers + layer);
      if (!Number.isNaN(value)) values.push(value);
      status = status < 0 ? code : worse(status, code);
    }
    this.seen.add(Math.max(0, status));
    const value = median(values);
    this.log[sample] = value;
    this.status[sample] = Math.max(0, status);
    if (value < this.low) this.low = value;
    if (value > this.high) this.high = value;
  }
}

export function median(values: number[]): number {
  if (values.length === 0) return Number.NaN;
  if (values.length === 1) return values[0] as number;
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The series of a view's rows, kept from one drawing to the next. */
export class SeriesCache {
  readonly #kept = new Map<string, Series>();
  #history: History | null = null;

  get(history: History, metric: Metric, id: string, layers: readonly number[]): Series {
    if (this.#history !== history) this.#kept.clear();
    this.#history = history;
    const key = `${metric} ${id}`;
    let series = this.#kept.get(key);
    if (!series) {
      series = new Series(history, metric, layers);
      this.#kept.set(key, series);
    }
    return series.follow();
  }
}
