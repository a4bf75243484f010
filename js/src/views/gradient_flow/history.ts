import { type Bytes, DecodeError, decodeAs } from "../../wire";

/** Rows as they cross the boundary: steps (T,), the others (T, L). */
export interface Rows {
  start: number;
  /** Rows the kernel holds after these; more than `start + T` when it sent a thinned sketch. */
  total: number;
  steps: Float64Array;
  norms: Float32Array;
  weights: Float32Array;
  status: Uint8Array;
}

/** Reads rows from a trait or a message; they must fit `layers`. */
export function decodeRows(value: unknown, layers: number, buffers?: readonly Bytes[]): Rows {
  const source = (value ?? {}) as Record<string, unknown>;
  const steps = decodeAs(source.steps, "float64", buffers);
  const norms = decodeAs(source.norms, "float32", buffers);
  const weights = decodeAs(source.weights, "float32", buffers);
  const status = decodeAs(source.status, "uint8", buffers);
  const count = steps.data.length;
  for (const [name, { shape }] of Object.entries({ norms, weights, status })) {
    if (shape.length !== 2 || shape[0] !== count || shape[1] !== layers) {
      throw new DecodeError(`${name} is [${shape.join(", ")}], expected [${count}, ${layers}]`);
    }
  }
  const start = typeof source.start === "number" ? source.start : 0;
  const total = typeof source.total === "number" ? source.total : start + count;
  return {
    start,
    total,
    steps: steps.data,
    norms: norms.data,
    weights: weights.data,
    status: status.data,
  };
}

/** The history that a widget holds: columns that grow by doubling. */
export class History {
  steps = new Float64Array(0);
  norms = new Float32Array(0);
  weights = new Float32Array(0);
  status = new Uint8Array(0);
  /** Samples held. */
  length = 0;
  /** Rows the kernel had when the last of these came: where the next append must start. */
  next = 0;
  /** Goes up whenever rows were replaced instead of added: what was derived is void then. */
  epoch = 0;

  constructor(readonly layers: number) {}

  /** Replaces everything. */
  reset(rows: Rows): void {
    this.length = 0;
    this.epoch += 1;
    this.#push(rows, 0);
    this.next = rows.total;
  }

  /** Adds rows; false when some are missing in between, and then nothing was added. */
  append(rows: Rows): boolean {
    if (rows.start === 0) {
      this.reset(rows);
      return true;
    }
    const skip = this.next - rows.start; // rows that a snapshot has brought already
    if (skip < 0) return false;
    if (skip < rows.steps.length) {
      this.#push(rows, skip);
      this.next = rows.total;
    }
    return true;
  }

  /** The last sample at or before `step`; the first one when there is none. */
  indexAt(step: number): number {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.steps[middle] as number) <= step) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #push(rows: Rows, skip: number): void {
    const from = skip * this.layers;
    this.#reserve(this.length + rows.steps.length - skip);
    this.steps.set(rows.steps.subarray(skip), this.length);
    const at = this.length * this.layers;
    this.norms.set(rows.norms.subarray(from), at);
    this.weights.set(rows.weights.subarray(from), at);
    this.status.set(rows.status.subarray(from), at);
    this.length += rows.steps.length - skip;
  }

  #reserve(count: number): void {
    if (count <= this.steps.length) return;
    const capacity = Math.max(count, this.steps.length * 2, 64);
    const grow = <A extends Float64Array | Float32Array | Uint8Array>(next: A, old: A): A => {
      next.set(old);
      return next;
    };
    this.steps = grow(new Float64Array(capacity), this.steps);
    this.norms = grow(new Float32Array(capacity * this.layers), this.norms);
    this.weights = grow(new Float32Array(capacity * this.layers), this.weights);
    this.status = grow(new Uint8Array(capacity * this.layers), this.status);
  }
}
