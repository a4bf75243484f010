/**
 * Arrays from the kernel: `{dtype, shape}` and little-endian bytes in C order.
 * On a trait the bytes are in `data`; in a message `buffer` is an index into its buffers.
 */
export const DTYPES = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
} as const;

export type Dtype = keyof typeof DTYPES;
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

export interface NDArray<T extends TypedArray = TypedArray> {
  dtype: Dtype;
  shape: number[];
  data: T;
}

export type Bytes = ArrayBuffer | ArrayBufferView;

export class DecodeError extends Error {}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function view(bytes: unknown): Uint8Array {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  // A buffer is usually a window into a whole websocket frame: its offset must be honoured.
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  throw new DecodeError("the array has no binary data");
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function swap(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice();
  for (let i = 0; i < out.length; i += size) out.subarray(i, i + size).reverse();
  return out;
}

/** The array that `value` describes. Throws DecodeError on anything that does not add up. */
export function decodeArray(value: unknown, buffers: readonly Bytes[] = []): NDArray {
  if (!isRecord(value)) throw new DecodeError(`not an array: ${String(value)}`);
  const { dtype, shape } = value;
  if (typeof dtype !== "string" || !(dtype in DTYPES)) {
    throw new DecodeError(`unknown dtype ${String(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new DecodeError(`bad shape ${JSON.stringify(shape)}`);
  }
  const Type = DTYPES[dtype as Dtype];
  const count = (shape as number[]).reduce((a, b) => a * b, 1);
  let source: unknown = value.data;
  if (typeof value.buffer === "number") {
    source = buffers[value.buffer];
    if (source === undefined) {
      throw new DecodeError(`buffer ${value.buffer} is missing (${buffers.length} came)`);
    }
  }
  let bytes = view(source);
  const size = Type.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== count * size) {
    throw new DecodeError(
      `${dtype} [${shape.join(", ")}] needs ${count * size} bytes, ${bytes.byteLength} came`,
    );
  }
  if (!littleEndian) bytes = swap(bytes, size);
  // A typed array cannot start at an unaligned offset: copy then, and only then.
  if (bytes.byteOffset % size !== 0) bytes = bytes.slice();
  const data = new Type(bytes.buffer as ArrayBuffer, bytes.byteOffset, count);
  return { dtype: dtype as Dtype, shape: shape as number[], data };
}

/** As decodeArray, and the element type must be one of `dtypes`. */
export function decodeAs<D extends Dtype>(
  value: unknown,
  dtype: D,
  buffers: readonly Bytes[] = [],
): NDArray<InstanceType<(typeof DTYPES)[D]>> {
  const array = decodeArray(value, buffers);
  if (array.dtype !== dtype) throw new DecodeError(`expected ${dtype}, got ${array.dtype}`);
  return array as NDArray<InstanceType<(typeof DTYPES)[D]>>;
}
