import type { Bytes, TypedArray } from "../src/wire";
import { inMessage, onTrait } from "./pack";

export interface Made {
  name: string;
  kind: string;
  units: number;
  /** Units that never fire, or that are stuck. */
  off: number;
  bounded?: boolean;
  /** From this look on it is NaN. */
  nanFrom?: number;
}

type Packer = (array: TypedArray, shape: number[]) => unknown;

const STATES = 7;
const LOOKS_A_BLOCK = 4;
const INPUTS = 32;
const EVERY = 5;

export function info(activations: readonly Made[]) {
  return activations.map(({ name, kind, units, bounded = false }) => ({
    name,
    kind,
    units,
    word: name.includes("conv") ? "channel" : "unit",
    bounds: bounded ? [-1, 1] : null,
    rectifies: kind === "ReLU",
    bounded,
  }));
}

function summary(activations: readonly Made[], looks: number, pack: Packer) {
  const count = activations.length;
  const blocks = Math.ceil(looks / LOOKS_A_BLOCK);
  const counts = new Int32Array(count * STATES);
  activations.forEach(({ units, off, bounded }, i) => {
    counts[i * STATES + (bounded ? 4 : 0)] = off;
    counts[i * STATES + (bounded ? 6 : 2)] = units - off;
  });
  const each = <A extends TypedArray>(array: A, value: (i: number, b: number) => number): A => {
    for (let k = 0; k < count * blocks; k++) array[k] = value(Math.floor(k / blocks), k % blocks);
    return array;
  };
  const size = [count * blocks];
  const step = (look: number) => 1 + look * EVERY;
  return {
    seen: pack(new Float64Array(count).fill(looks * INPUTS), [count]),
    counts: pack(counts, [count, STATES]),
    lengths: pack(new Int32Array(count).fill(blocks), [count]),
    first: pack(
      each(new Int32Array(count * blocks), (_, b) => step(b * LOOKS_A_BLOCK)),
      size,
    ),
    last: pack(
      each(new Int32Array(count * blocks), (_, b) =>
        step(Math.min(looks, (b + 1) * LOOKS_A_BLOCK) - 1),
      ),
      size,
    ),
    inputs: pack(new Float64Array(count * blocks).fill(LOOKS_A_BLOCK * INPUTS), size),
    off: pack(
      each(
        new Float32Array(count * blocks),
        (i) => (activations[i]?.off ?? 0) / (activations[i]?.units ?? 1),
      ),
      size,
    ),
  };
}

/** Looks [from, to) of a made-up training. */
function rows(activations: readonly Made[], from: number, to: number, pack: Packer) {
  const count = activations.length;
  const values = new Float32Array((to - from) * count * 4);
  for (let look = from; look < to; look++) {
    activations.forEach(({ units, off, bounded, nanFrom = Number.POSITIVE_INFINITY }, i) => {
      const at = ((look - from) * count + i) * 4;
      const zeros = bounded ? 0 : 0.5 + (0.5 * off) / units;
      const numbers = [0.3 + 0.1 * Math.sin(look / 9 + i), 0.6, zeros, bounded ? off / units : 0];
      values.set(look >= nanFrom ? Array(4).fill(Number.NaN) : numbers, at);
    });
  }
  return {
    steps: pack(
      Float64Array.from({ length: to - from }, (_, t) => 1 + (from + t) * EVERY),
      [to - from],
    ),
    values: pack(values, [to - from, count, 4]),
    looked: pack(new Uint8Array((to - from) * count).fill(1), [to - from, count]),
  };
}

export function snapshot(activations: readonly Made[], looks: number, part = 0) {
  return {
    start: 0,
    part,
    ...rows(activations, 0, looks, onTrait),
    units: summary(activations, looks, onTrait),
  };
}

/** A message with looks [from, to), and its buffers. */
export function append(
  activations: readonly Made[],
  from: number,
  to: number,
  part: number,
  more: object = {},
) {
  const buffers: Bytes[] = [];
  const pack: Packer = (array, shape) => inMessage(array, shape, buffers);
  const content = { ...rows(activations, from, to, pack), units: summary(activations, to, pack) };
  return [{ kind: "append", part, ...more, ...content }, buffers] as const;
}

/** The reply to a request for the units of one of them, and its buffers. */
export function units({ units: count, off, bounded }: Made, looks: number) {
  const buffers: Bytes[] = [];
  const pack: Packer = (array, shape) => inMessage(array, shape, buffers);
  const blocks = Math.ceil(looks / LOOKS_A_BLOCK);
  const shares = new Uint16Array(blocks * count);
  for (let b = 0; b < blocks; b++) {
    for (let u = 0; u < count; u++) {
      const share = 0.2 + 0.6 * ((u * 37) % count) * (1 / count) + 0.1 * Math.sin(b + u);
      shares[b * count + u] = u < off ? (bounded ? 65535 : 0) : Math.round(65535 * share);
    }
  }
  const list = (value: (i: number) => number, n: number) =>
    pack(
      Float64Array.from({ length: n }, (_, i) => value(i)),
      [n],
    );
  const result = {
    seen: looks * INPUTS,
    total: count,
    units: pack(
      Int32Array.from({ length: count }, (_, u) => u),
      [count],
    ),
    states: pack(
      Uint8Array.from({ length: count }, (_, u) => (u < off ? 0 : 2) + (bounded ? 4 : 0)),
      [count],
    ),
    last_active: list((u) => (u < off ? 0 : 1 + (looks - 1) * EVERY), count),
    since: list((u) => (u < off ? looks * INPUTS : 0), count),
    first: list((b) => 1 + b * LOOKS_A_BLOCK * EVERY, blocks),
    last: list((b) => 1 + (Math.min(looks, (b + 1) * LOOKS_A_BLOCK) - 1) * EVERY, blocks),
    inputs: list(() => LOOKS_A_BLOCK * INPUTS, blocks),
    activity: pack(shares, [blocks, count]),
    ...(bounded ? { saturation: pack(shares, [blocks, count]) } : {}),
  };
  return [result, buffers] as const;
}
