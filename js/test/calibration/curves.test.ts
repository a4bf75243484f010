import { describe, expect, it } from "vitest";
import { CalibrationKernel } from "../../dev/calibration_kernel";
import { onTrait } from "../../dev/pack";
import {
  between,
  binBeside,
  binNear,
  type Curve,
  nearest,
  readCurves,
  same,
} from "../../src/views/calibration/curves";
import { regions } from "../../src/views/calibration/words";

const curve = (given: Partial<Curve>): Curve => ({
  temperature: 1,
  edges: [0, 0.5, 1],
  counts: [1, 1],
  confidence: [0.25, 0.75],
  observed: [0.2, 0.8],
  low: [0.1, 0.7],
  high: [0.3, 0.9],
  way: [1, -1],
  sure: [false, false],
  numbers: {},
  words: [],
  ...given,
});

describe("readCurves", () => {
  it("reads rows of unequal length", () => {
    const f = (rows: number[][]) => onTrait(Float32Array.from(rows.flat()), [2, 2]);
    const found = readCurves({
      temperatures: onTrait(Float64Array.from([1, 2]), [2]),
      sizes: [1, 2],
      confidence: f([
        [0.5, Number.NaN],
        [0.25, 0.75],
      ]),
      observed: f([
        [0.5, Number.NaN],
        [0, 1],
      ]),
      low: f([
        [0, 0],
        [0, 0],
      ]),
      high: f([
        [1, 1],
        [1, 1],
      ]),
      edges: onTrait(Float32Array.from([0, 1, Number.NaN, 0, 0.5, 1]), [2, 3]),
      counts: onTrait(Float64Array.from([3, 0, 1, 2]), [2, 2]),
      marks: onTrait(Uint8Array.from([1, 1, 5, 3]), [2, 2]),
      numbers: onTrait(Float64Array.from([0.1, Number.POSITIVE_INFINITY, 0.2, 0.3]), [2, 2]),
      names: ["ece", "nll"],
      words: [["a"], ["b", "c"]],
    });
    expect(found.map((one) => one.counts)).toEqual([[3], [1, 2]]);
    expect(found[0]?.edges).toEqual([0, 1]);
    expect(found[1]?.edges).toEqual([0, 0.5, 1]);
    expect(found[1]?.way).toEqual([1, -1]);
    expect(found[1]?.sure).toEqual([true, true]);
    expect(found[0]?.numbers).toEqual({ ece: 0.1, nll: Number.POSITIVE_INFINITY });
    expect(found[1]?.words).toEqual(["b", "c"]);
  });

  it("is empty before anything came", () => {
    expect(readCurves({})).toEqual([]);
    expect(readCurves(undefined)).toEqual([]);
  });

  it("reads what the page's own kernel sends", () => {
    const kernel = new CalibrationKernel({
      ...{ samples: 300, truth: 2, bins: 10, of: -1, at: 1, delay: 0 },
    });
    const [first] = readCurves(kernel.get("curves"));
    expect(first?.counts.reduce((a, b) => a + b, 0)).toBe(300);
  });
});

describe("temperatures", () => {
  it("finds the nearest by ratio", () => {
    const curves = [0.5, 1, 2].map((temperature) => curve({ temperature }));
    expect([0.1, 0.7, 0.72, 1.4, 1.5, 9].map((t) => nearest(curves, t))).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
    expect(same(1, 1 + 1e-9)).toBe(true);
    expect(same(1, 1.001)).toBe(false);
  });
});

describe("bins", () => {
  const gappy = curve({
    counts: [0, 2, 0, 5],
    confidence: [Number.NaN, 0.4, Number.NaN, 0.9],
    edges: [0, 0.25, 0.5, 0.75, 1],
  });

  it("skips the empty ones", () => {
    expect([0, 0.6, 0.7, 1].map((x) => binNear(gappy, x))).toEqual([1, 1, 3, 3]);
    expect(binBeside(gappy, null, 1)).toBe(1);
    expect(binBeside(gappy, null, -1)).toBe(3);
    expect(binBeside(gappy, 1, 1)).toBe(3);
    expect(binBeside(gappy, 3, 1)).toBe(3);
    expect(binBeside(gappy, 1, -1)).toBe(1);
  });

  it("knows none where all are empty", () => {
    const empty = curve({ counts: [0], confidence: [Number.NaN] });
    expect(binNear(empty, 0.5)).toBe(-1);
    expect(binBeside(empty, null, 1)).toBe(-1);
  });

  it("glides half way, and jumps where there is nothing to glide from", () => {
    const from = curve({ observed: [0, Number.NaN] });
    const half = between(from, curve({ observed: [1, 0.5] }), 0.5);
    expect(half.observed).toEqual([0.5, 0.5]);
  });
});

describe("regions", () => {
  it("names the sides of a top-label diagram: above is underconfident", () => {
    const [above, below] = regions(true, 500);
    expect([above?.word, below?.word]).toEqual(["underconfident", "overconfident"]);
    expect((above?.y ?? 0) > (below?.y ?? 1)).toBe(true);
  });

  it("names the four of a class: too low is overconfident in the lower half", () => {
    const said = regions(false, 500).map((one) => `${one.word}: ${one.text}`);
    expect(said).toEqual([
      "overconfident: probability too low",
      "underconfident: probability too low",
      "underconfident: probability too high",
      "overconfident: probability too high",
    ]);
  });
});
