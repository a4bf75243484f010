import { describe, expect, it } from "vitest";
import {
  camState,
  colourCam,
  fullColour,
  type Rgb,
  sharedPeak,
  upsample,
} from "../../src/views/error_explorer/cam";
import { decodeMaps } from "../../src/views/error_explorer/maps";
import type { Cam } from "../../src/views/error_explorer/types";

const cam = (values: number[], width: number, height: number, peak = Math.max(...values)): Cam => ({
  values: new Float32Array(values),
  width,
  height,
  peak,
});
const grey = (share: number): Rgb => [255 * share, 255 * share, 255 * share];

describe("upsample", () => {
  it("gives what torch gives with align_corners=False", () => {
    // torch.nn.functional.interpolate(tensor([[[0., 4.]]]), 4, mode="linear")
    expect([...upsample(cam([0, 4], 2, 1), 4, 1)]).toEqual([0, 1, 3, 4]);
    expect([...upsample(cam([0, 4], 1, 2), 1, 4)]).toEqual([0, 1, 3, 4]);
    expect([...upsample(cam([0, 4, 8, 12], 2, 2), 2, 2)]).toEqual([0, 4, 8, 12]);
  });

  it("lets an infinity stay where it is", () => {
    const wide = cam([Number.POSITIVE_INFINITY, 1, 2], 3, 1);
    expect([...upsample(wide, 3, 1)]).toEqual([Number.POSITIVE_INFINITY, 1, 2]);
  });

  it("spreads one value over all", () => {
    expect([...upsample(cam([3], 1, 1), 2, 3)]).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it("keeps NaN where it weighs in, and nowhere else", () => {
    const out = upsample(cam([Number.NaN, 1, 1, 1], 4, 1), 8, 1);
    expect([...out].map(Number.isNaN)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("states and scales", () => {
  it("tells evidence from none and from NaN", () => {
    expect(camState(cam([0, 2], 2, 1))).toBe("ready");
    expect(camState(cam([0, 0], 2, 1))).toBe("none");
    expect(camState(cam([0, 0], 2, 1, Number.NaN))).toBe("notfinite");
    expect(camState(cam([0, 0], 2, 1, Number.POSITIVE_INFINITY))).toBe("notfinite");
  });

  it("shares the largest finite peak", () => {
    const weak = cam([1], 1, 1);
    const strong = cam([10], 1, 1);
    const broken = cam([1], 1, 1, Number.NaN);
    expect(sharedPeak([weak, strong, broken])).toBe(10);
    expect(sharedPeak([])).toBe(0);
    expect(fullColour(weak, "own", 10)).toBe(1);
    expect(fullColour(weak, "shared", 10)).toBe(10);
  });
});

describe("colourCam", () => {
  it("leaves the picture alone where there is no evidence, and covers the peak most", () => {
    const pixels = colourCam(new Float32Array([0, 1, 4]), 4, 0.5, grey);
    // 0.5 * 255 * 0.25 ** 0.7 = 48.3
    const alpha = [pixels[3], pixels[7], pixels[11]];
    expect(alpha).toEqual([0, 48, 128]);
    expect(pixels[8]).toBe(255);
  });

  it("draws a weak map weakly on the shared scale", () => {
    const own = colourCam(new Float32Array([1]), 1, 1, grey);
    const shared = colourCam(new Float32Array([1]), 100, 1, grey);
    expect(own[3]).toBe(255);
    expect(shared[3]).toBe(10);
  });

  it("marks values that are not finite in a colour outside the scale", () => {
    const pixels = colourCam(new Float32Array([Number.NaN]), 1, 1, grey);
    expect([...pixels]).toEqual([255, 0, 144, 255]);
  });

  it("draws nothing at a full value of zero", () => {
    expect(colourCam(new Float32Array([0]), 0, 1, grey)[3]).toBe(0);
  });
});

describe("decodeMaps", () => {
  const reply = (n: number, shape: number[]) => ({
    result: {
      ids: [7, "a"],
      layer: "layer4",
      maps: { dtype: "float32", shape, buffer: 0 },
      peak: { dtype: "float32", shape: [n], buffer: 1 },
    },
    buffers: [
      new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => i),
      new Float32Array(n).fill(9),
    ],
  });

  it("splits the maps by sample, height before width", () => {
    const { maps, layer } = decodeMaps(reply(2, [2, 1, 3]));
    expect(layer).toBe("layer4");
    expect(maps.map((m) => [m.width, m.height, ...m.values, m.peak])).toEqual([
      [3, 1, 0, 1, 2, 9],
      [3, 1, 3, 4, 5, 9],
    ]);
  });

  it("names a reply that does not add up", () => {
    expect(() => decodeMaps(reply(1, [2, 1, 3]))).toThrow("1 peaks came");
    expect(() => decodeMaps(reply(2, [3, 1, 3]))).toThrow("maps [3, 1, 3]");
  });
});
