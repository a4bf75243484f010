import { type Bytes, DecodeError, decodeAs } from "../wire";

/** What a kernel may send of each layer at each sample; a column it leaves out is unknown. */
const FIELDS = ["norms", "raw", "weights", "updates"] as const;
type Field = (typeof FIELDS)[number];

/** Rows as they cross the boundary: steps (T,), the others (T, L). */
export interface Rows extends Partial<Record<Field, Float32Array>> {
  start: number;
  /**
   * Rows the kernel holds after these: more than `start + T` when it sent a sketch, fewer when the
   * last ones may still give way to others.
   */
  total: number;
  steps: Float64Array;
  status: Uint8Array;
}

/** Reads rows from a trait or a message; they must fit `layers`. */
export function decodeRows(value: unknown, layers: number, buffers?: readonly Bytes[]): Rows {
  const source = (value ?? {}) as Record<string, unknown>;
  const steps = decodeAs(source.steps, "float64", buffers).data;
  const count = steps.length;
  const checked = <A extends { shape: number[] }>(name: string, array: A): A => {
    const { shape } = array;
    if (shape.length !== 2 || shape[0] !== count || shape[1] !== layers) {
      throw new DecodeError(`${name} is [${shape.join(", ")}], expected [${count}, ${layers}]`);
    }
    return array;
  };
  const start = typeof source.start === "number" ? source.start : 0;
  const total = typeof source.total === "number" ? source.total : start + count;
  const status = checked("status", decodeAs(source.status, "uint8", buffers)).data;
  const rows: Rows = { start, total, steps, status };
  for (const name of FIELDS) {
    if (source[name] === undefined || source[name] === null) continue;
    rows[name] = checked(name, decodeAs(source[name], "float32", buffers)).data;
  }
  return rows;
}

/** The history that a widget holds: columns that grow by doubling. */
export class History {
  steps = new Float64Array(0);
  /** Norm of the gradient as the optimizer used it, and before clipping. */
  norms = new Float32Array(0);
  raw = new Float32Array(0);
  /** Norm of the weights before the step, and of what the step changed. */
  weights = new Float32Array(0);
  updates = new Float32Array(0);
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

  /** Step of the newest sample; NaN where there is none. */
  get newest(): number {
    return this.length > 0 ? (this.steps[this.length - 1] as number) : Number.NaN;
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
    const first = rows.steps[skip] ?? Number.POSITIVE_INFINITY;
    if (this.newest >= first) {
      while (this.newest >= first) this.length -= 1;
      this.epoch += 1; // the last rows have given way
    }
    this.#reserve(this.length + rows.steps.length - skip);
    this.steps.set(rows.steps.subarray(skip), this.length);
    const at = this.length * this.layers;
    const count = rows.steps.length - skip;
    for (const name of FIELDS) {
      const column = rows[name]?.subarray(from);
      if (column) this[name].set(column, at);
      else this[name].fill(Number.NaN, at, at + count * this.layers);
    }
    this.status.set(rows.status.subarray(from), at);
    this.length += count;
  }

  #reserve(count: number): void {
    if (count <= this.steps.length) return;
    const capacity = Math.max(count, this.steps.length * 2, 64);
    const grow = <A extends Float64Array | Float32Array | Uint8Array>(next: A, old: A): A => {
      next.set(old);
      return next;
    };
    this.steps = grow(new Float64Array(capacity), this.steps);
    for (const name of FIELDS) {
      this[name] = grow(new Float32Array(capacity * this.layers), this[name]);
    }
    this.status = grow(new Uint8Array(capacity * this.layers), this.status);
  }
}
