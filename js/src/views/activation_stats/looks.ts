import { INF, NAN } from "../../layers/status";
import type { Timeline } from "../../run";
import { type Bytes, DecodeError, decodeAs } from "../../wire";

/** The numbers of one activation at one look, in this order. */
export const FIELDS = ["mean", "std", "zeros", "saturated"] as const;
export type Field = (typeof FIELDS)[number];
const F = FIELDS.length;

/** More looks than this are thinned to half as many: the first ones, and an even choice in time. */
const MOST = 4000;
const FIRST = 100;

/** Looks as they cross the boundary: steps (T,), values (T, A, F), looked (T, A). */
export interface Rows {
  steps: Float64Array;
  values: Float32Array;
  looked: Uint8Array;
}

export function decodeRows(
  value: Record<string, unknown>,
  activations: number,
  buffers?: readonly Bytes[],
): Rows {
  const steps = decodeAs(value.steps, "float64", buffers).data;
  const values = decodeAs(value.values, "float32", buffers);
  const looked = decodeAs(value.looked, "uint8", buffers);
  const wanted = [steps.length, activations, F];
  if (values.shape.join() !== wanted.join() || looked.data.length !== steps.length * activations) {
    throw new DecodeError(`values are [${values.shape.join(", ")}], not [${wanted.join(", ")}]`);
  }
  return { steps, values: values.data, looked: looked.data };
}

/** The looks that a widget holds: columns that grow by doubling. */
export class Looks implements Timeline {
  steps = new Float64Array(0);
  #values = new Float32Array(0);
  #looked = new Uint8Array(0);
  length = 0;
  /** What went wrong in any of them: NAN, INF. */
  readonly marks = new Set<number>();
  /** Goes up whenever something other than the newest looks has changed. */
  epoch = 0;

  constructor(readonly activations: number) {}

  reset(rows: Rows): void {
    this.length = 0;
    this.epoch += 1;
    this.marks.clear();
    this.add(rows);
  }

  /** Adds looks, or completes those of a step that is there; older steps stay as they are. */
  add({ steps, values, looked }: Rows): void {
    const a = this.activations;
    for (let row = 0; row < steps.length; row++) {
      const step = steps[row] as number;
      const newest = this.length > 0 ? (this.steps[this.length - 1] as number) : Number.NaN;
      let at = this.length;
      if (step <= newest) {
        at = this.indexAt(step);
        if (this.steps[at] !== step) continue; // thinned out since
        this.epoch += 1;
      } else this.#push(step);
      for (let i = 0; i < a; i++) {
        if (!looked[row * a + i]) continue;
        this.#looked[at * a + i] = 1;
        const from = (row * a + i) * F;
        this.#values.set(values.subarray(from, from + F), (at * a + i) * F);
        const mean = values[from] as number;
        if (!Number.isFinite(mean)) this.marks.add(Number.isNaN(mean) ? NAN : INF);
      }
    }
    if (this.length > MOST) this.#thin();
  }

  /** NaN where there was no look, or nothing finite in it: `seen` tells them apart. */
  value(sample: number, activation: number, field: Field): number {
    const at = (sample * this.activations + activation) * F + FIELDS.indexOf(field);
    return this.seen(sample, activation) ? (this.#values[at] as number) : Number.NaN;
  }

  seen(sample: number, activation: number): boolean {
    return this.#looked[sample * this.activations + activation] === 1;
  }

  /** The last look at or before a step; the first one when there is none. */
  indexAt(step: number): number {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.steps[middle] as number) <= step) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  #push(step: number): void {
    if (this.length === this.steps.length) {
      const room = Math.max(64, 2 * this.length);
      this.steps = copied(new Float64Array(room), this.steps);
      this.#values = copied(new Float32Array(room * this.activations * F), this.#values);
      this.#looked = copied(new Uint8Array(room * this.activations), this.#looked);
    }
    this.steps[this.length] = step;
    this.#looked.fill(0, this.length * this.activations, (this.length + 1) * this.activations);
    this.length += 1;
  }

  /** In each of even stretches of time the first look stays, and the first that was not finite. */
  #thin(): void {
    const a = this.activations;
    const start = this.steps[FIRST] as number;
    const width = ((this.steps[this.length - 1] as number) - start) / (MOST / 2 - FIRST);
    let to = 0;
    let stretch = -1;
    let broken = -1;
    for (let from = 0; from < this.length; from++) {
      const at = Math.floor(((this.steps[from] as number) - start) / width);
      const wrong = broken < at && !this.#finite(from);
      if (from >= FIRST && at <= stretch && !wrong) continue;
      stretch = at;
      if (wrong) broken = at;
      this.steps[to] = this.steps[from] as number;
      this.#values.copyWithin(to * a * F, from * a * F, (from + 1) * a * F);
      this.#looked.copyWithin(to * a, from * a, (from + 1) * a);
      to += 1;
    }
    this.length = to;
    this.epoch += 1;
  }

  #finite(sample: number): boolean {
    for (let i = 0; i < this.activations; i++) {
      if (this.seen(sample, i) && !Number.isFinite(this.value(sample, i, "mean"))) return false;
    }
    return true;
  }
}

function copied<A extends Float64Array | Float32Array | Uint8Array>(next: A, old: A): A {
  next.set(old);
  return next;
}
