import { describe, expect, it } from "vitest";
import { DecodeError, decodeArray, decodeAs } from "../../src/wire";

/** float32 1.5 and NaN, little endian, written down byte by byte. */
const ONE_AND_A_HALF = [0x00, 0x00, 0xc0, 0x3f];
const NOT_A_NUMBER = [0x00, 0x00, 0xc0, 0x7f];

function windowAt(offset: number, bytes: number[], tail = 0): DataView {
  const frame = new Uint8Array(offset + bytes.length + tail).fill(0xee);
  frame.set(bytes, offset);
  return new DataView(frame.buffer, offset, bytes.length);
}

describe("decodeArray", () => {
  it.each([
    ["at the start", 0, 0],
    ["at an aligned offset", 8, 4],
    ["at an offset that fits no float", 3, 5],
  ])("reads a window %s", (_, offset, tail) => {
    const data = windowAt(offset, [...ONE_AND_A_HALF, ...NOT_A_NUMBER], tail);
    const array = decodeArray({ dtype: "float32", shape: [2], data });
    expect([...array.data]).toEqual([1.5, Number.NaN]);
  });

  it("reads an array from a message's buffers", () => {
    const buffers = [windowAt(0, [9]), windowAt(1, [1, 0, 0, 0, 255, 255, 255, 255])];
    const array = decodeArray({ dtype: "int32", shape: [1, 2], buffer: 1 }, buffers);
    expect(array.shape).toEqual([1, 2]);
    expect([...array.data]).toEqual([1, -1]);
  });

  it("reads a plain ArrayBuffer, a scalar and an empty array", () => {
    const data = new Uint8Array([7]).buffer;
    expect([...decodeArray({ dtype: "uint8", shape: [], data }).data]).toEqual([7]);
    const none = new DataView(new ArrayBuffer(3), 3);
    expect(decodeArray({ dtype: "float64", shape: [0, 5], data: none }).data).toHaveLength(0);
  });

  it("keeps infinities of both signs", () => {
    const bytes = [0, 0, 0x80, 0x7f, 0, 0, 0x80, 0xff];
    const { data } = decodeArray({ dtype: "float32", shape: [2], data: windowAt(2, bytes) });
    expect([...data]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  });

  it.each([
    ["int64", { dtype: "int64", shape: [0], data: new ArrayBuffer(0) }, "unknown dtype int64"],
    [
      "too short",
      { dtype: "uint16", shape: [2], data: new ArrayBuffer(2) },
      "needs 4 bytes, 2 came",
    ],
    ["no data", { dtype: "uint8", shape: [0] }, "no binary data"],
    ["no buffer", { dtype: "uint8", shape: [1], buffer: 2 }, "buffer 2 is missing (0 came)"],
    ["bad shape", { dtype: "uint8", shape: [-1], data: new ArrayBuffer(0) }, "bad shape [-1]"],
    ["null", null, "not an array: null"],
  ])("refuses %s", (_, value, message) => {
    expect(() => decodeArray(value)).toThrow(DecodeError);
    expect(() => decodeArray(value)).toThrow(message);
  });

  it("refuses another dtype than the one that is needed", () => {
    const value = { dtype: "uint8", shape: [1], data: new ArrayBuffer(1) };
    expect(() => decodeAs(value, "float32")).toThrow("expected float32, got uint8");
  });
});
