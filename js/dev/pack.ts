import type { Bytes, TypedArray } from "../src/wire";

const NAMES = new Map<unknown, string>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
  [Uint8Array, "uint8"],
  [Uint16Array, "uint16"],
]);

function bytesOf(array: TypedArray): DataView<ArrayBuffer> {
  // As on the wire: a window into a larger frame, at an offset that fits no element size.
  const frame = new ArrayBuffer(array.byteLength + 3);
  new Uint8Array(frame, 3).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return new DataView(frame, 3);
}

/** An array as a trait carries it. */
export function onTrait(array: TypedArray, shape: number[]) {
  return { dtype: NAMES.get(array.constructor), shape, data: bytesOf(array) };
}

/** An array as a message carries it: its bytes go to `buffers`. */
export function inMessage(array: TypedArray, shape: number[], buffers: Bytes[]) {
  buffers.push(bytesOf(array));
  return { dtype: NAMES.get(array.constructor), shape, buffer: buffers.length - 1 };
}
