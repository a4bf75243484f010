import type { Bytes, TypedArray } from "../src/wire";
import { inMessage, onTrait } from "./pack";

export interface Columns {
  steps: Float64Array;
  norms: Float32Array;
  raw: Float32Array;
  weights: Float32Array;
  updates: Float32Array;
  status: Uint8Array;
}

/** Names as a network of about `count` layers has them. */
export function layerNames(count: number): { name: string; kind: string; size: number }[] {
  if (count <= 10) {
    return Array.from({ length: count }, (_, i) => ({
      name: String(2 * i),
      kind: "Linear",
      size: i === 0 ? 50_240 : 4160,
    }));
  }
  if (count <= 80) {
    const out = [
      { name: "conv1", kind: "Conv2d", size: 9408 },
      { name: "bn1", kind: "BatchNorm2d", size: 128 },
    ];
    for (let block = 0; out.length < count - 1; block++) {
      const path = `layer${1 + Math.floor(block / 4)}.${block % 4}`;
      for (const part of ["conv1", "bn1", "conv2", "bn2"]) {
        const kind = part.startsWith("conv") ? "Conv2d" : "BatchNorm2d";
        if (out.length < count - 1) out.push({ name: `${path}.${part}`, kind, size: 36_864 });
      }
    }
    return [...out, { name: "fc", kind: "Linear", size: 5130 }];
  }
  const parts = ["ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"];
  const out = [{ name: "transformer.wte", kind: "Embedding", size: 38_597_376 }];
  for (let i = 0; out.length < count - 1; i++) {
    for (const part of parts) {
      const kind = part.startsWith("ln") ? "LayerNorm" : "Linear";
      if (out.length < count - 1)
        out.push({ name: `transformer.h.${i}.${part}`, kind, size: 590_592 });
    }
  }
  return [...out, { name: "lm_head", kind: "Linear", size: 38_597_376 }];
}

export interface Faults {
  vanishing?: boolean;
  nan?: boolean;
  /** Gradients are clipped at some of the steps. */
  clipped?: boolean;
  /** No samples in the middle fifth. */
  pause?: boolean;
}

/** A made-up training: noisy norms that fall over time, with the faults asked for. */
export function train(steps: number, layers: number, faults: Faults = {}, stride = 1): Columns {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return seed / 4_294_967_296 - 0.5;
  };
  const norms = new Float32Array(steps * layers);
  const raw = new Float32Array(steps * layers);
  const weights = new Float32Array(steps * layers);
  const updates = new Float32Array(steps * layers);
  const status = new Uint8Array(steps * layers);
  for (let t = 0; t < steps; t++) {
    const clip = faults.clipped && Math.sin(t * 1.3) > 0.2 ? 0.4 : 1;
    for (let l = 0; l < layers; l++) {
      const depth = l / Math.max(1, layers - 1);
      const slope = faults.vanishing ? -7 * (1 - depth) : -0.9 * (1 - depth);
      const wave = 0.35 * Math.sin(l * 2.1) + 0.2 * Math.sin(t / 17 + l);
      const log = slope + wave - 1.2 * (1 - Math.exp((-2 * t) / steps)) + 0.5 * random();
      const i = t * layers + l;
      raw[i] = 10 ** log;
      norms[i] = clip * 10 ** log;
      updates[i] = 10 ** (-3 + 0.6 * Math.sin(l * 1.7) + 0.3 * random()) * (3 + 2 * depth);
      weights[i] = 3 + 2 * depth + (t / steps) * 0.5;
      if (faults.nan && l === 1) status[i] = 2;
      if (faults.nan && l === 2) status[i] = 1;
      const late = t > steps * 0.8;
      if (faults.nan && late && l >= layers - 3) status[i] = 3;
      if (faults.nan && t === Math.floor(steps * 0.4) && l === layers - 1) status[i] = 3;
      if (faults.nan && !late && t > steps * 0.76 && l >= layers - 2) status[i] = 4;
      if (status[i]) {
        norms[i] = raw[i] = status[i] === 4 ? Number.POSITIVE_INFINITY : Number.NaN;
        if (status[i] === 2) updates[i] = Number.NaN;
      }
    }
  }
  const skip = faults.pause ? Math.floor(steps / 4) * stride : 0;
  const numbers = Float64Array.from(
    { length: steps },
    (_, t) => 1 + t * stride + (t > steps / 2 ? skip : 0),
  );
  return { steps: numbers, norms, raw, weights, updates, status };
}

type Packer = (array: TypedArray, shape: number[]) => unknown;

function packed(all: Columns, from: number, to: number, pack: Packer) {
  const layers = all.norms.length / all.steps.length;
  const cut = <A extends TypedArray>(a: A) => a.slice(from * layers, to * layers) as A;
  const shape = [to - from, layers];
  return {
    start: from,
    steps: pack(all.steps.slice(from, to), [to - from]),
    norms: pack(cut(all.norms), shape),
    raw: pack(cut(all.raw), shape),
    weights: pack(cut(all.weights), shape),
    updates: pack(cut(all.updates), shape),
    status: pack(cut(all.status), shape),
  };
}

export function snapshot(all: Columns, to = all.steps.length) {
  return packed(all, 0, to, onTrait);
}

/** A message with rows [from, to), and its buffers. */
export function append(all: Columns, from: number, to: number, more: object = {}) {
  const buffers: Bytes[] = [];
  const rows = packed(all, from, to, (array, shape) => inMessage(array, shape, buffers));
  return [{ kind: "append", ...more, ...rows }, buffers] as const;
}
