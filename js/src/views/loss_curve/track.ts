import { record } from "../../run";
import { type Bytes, DecodeError, decodeAs } from "../../wire";

export const FINITE = 0;
export const NAN = 1;
export const INFINITE = 2;

/** Points as they cross the boundary, every column (n,). */
export interface Points {
  /** Index of the first of them in the kernel's series, and how many are complete after them. */
  start: number;
  total: number;
  /** How many values the kernel had. */
  logged: number;
  steps: Float64Array;
  values: Float64Array;
  low: Float64Array;
  high: Float64Array;
  bad: Uint8Array;
}

export function decodePoints(value: unknown, buffers?: readonly Bytes[]): Points {
  const source = record(value);
  const column = (name: string) => decodeAs(source[name], "float64", buffers).data;
  const [steps, values, low, high] = ["steps", "values", "low", "high"].map(column);
  if (!steps || !values || !low || !high) throw new DecodeError("a column is missing");
  const bad = decodeAs(source.bad, "uint8", buffers).data;
  for (const other of [values, low, high, bad]) {
    if (other.length !== steps.length) {
      throw new DecodeError(`a column has ${other.length} entries, expected ${steps.length}`);
    }
  }
  const start = typeof source.start === "number" ? source.start : 0;
  const total = typeof source.total === "number" ? source.total : start + steps.length;
  const logged = typeof source.logged === "number" ? source.logged : total;
  return { start, total, logged, steps, values, low, high, bad };
}

/** One logged series: columns that grow by doubling, in the order of their steps. */
export class Track {
  steps = new Float64Array(0);
  values = new Float64Array(0);
  low = new Float64Array(0);
  high = new Float64Array(0);
  bad = new Uint8Array(0);
  length = 0;
  /** Points the kernel had when the last of these came: where the next must start. */
  next = 0;
  /** How many values it had then. */
  logged = 0;

  constructor(readonly name: string) {}

  reset(points: Points): void {
    this.length = 0;
    this.#push(points, 0);
    this.next = points.total;
    this.logged = points.logged;
  }

  /** Adds points; false when some are missing in between, and then nothing was added. */
  append(points: Points): boolean {
    if (points.start === 0) {
      this.reset(points);
      return true;
    }
    if (points.start > this.next) return false;
    if (points.total <= this.next) return true; // a snapshot has brought them already
    const whole = points.total - points.start === points.steps.length;
    if (points.start < this.next && !whole) return false; // a sketch cannot be cut
    this.#push(points, this.next - points.start);
    this.next = points.total;
    this.logged = points.logged;
    return true;
  }

  get last(): number {
    return this.length > 0 ? (this.steps[this.length - 1] as number) : Number.NaN;
  }

  /** The last point at or before `step`; -1 when there is none. */
  indexAt(step: number): number {
    let low = -1;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.steps[middle] as number) <= step) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #push(points: Points, skip: number): void {
    const more = points.steps.length - skip;
    const from = this.length;
    this.#reserve(from + more);
    this.steps.set(points.steps.subarray(skip), from);
    this.values.set(points.values.subarray(skip), from);
    this.low.set(points.low.subarray(skip), from);
    this.high.set(points.high.subarray(skip), from);
    this.bad.set(points.bad.subarray(skip), from);
    this.length += more;
    for (let i = Math.max(1, from); i < this.length; i++) {
      if ((this.steps[i] as number) < (this.steps[i - 1] as number)) {
        this.#sort(); // logged for an earlier step: rare, and drawn where it belongs
        return;
      }
    }
  }

  #sort(): void {
    const order = Array.from({ length: this.length }, (_, i) => i);
    order.sort((a, b) => (this.steps[a] as number) - (this.steps[b] as number) || a - b);
    for (const column of [this.steps, this.values, this.low, this.high, this.bad]) {
      const old = column.slice(0, this.length);
      for (const [to, from] of order.entries()) column[to] = old[from] as number;
    }
  }

  #reserve(count: number): void {
    if (count <= this.steps.length) return;
    const capacity = Math.max(count, this.steps.length * 2, 256);
    const grow = <A extends Float64Array | Uint8Array>(next: A, old: A): A => {
      next.set(old);
      return next;
    };
    this.steps = grow(new Float64Array(capacity), this.steps);
    this.values = grow(new Float64Array(capacity), this.values);
    this.low = grow(new Float64Array(capacity), this.low);
    this.high = grow(new Float64Array(capacity), this.high);
    this.bad = grow(new Uint8Array(capacity), this.bad);
  }
}
