import { describe, expect, it } from "vitest";
import { histogramReply, histogramTrait } from "../../dev/histogram_data";
import {
  choose,
  decodeHistograms,
  extent,
  type Histograms,
  linearTicks,
  quantile,
  total,
} from "../../src/layers/histograms";

/** Histograms of four bins. */
function four(...all: { low: number; high: number; counts: number[]; nan?: number }[]): Histograms {
  return {
    steps: Float64Array.from(all, (_, i) => i + 1),
    low: Float32Array.from(all, ({ low }) => low),
    high: Float32Array.from(all, ({ high }) => high),
    counts: Float32Array.from(all.flatMap(({ counts }) => counts)),
    bins: 4,
    nan: Float32Array.from(all, ({ nan = 0 }) => nan),
    infinite: new Float32Array(all.length),
  };
}
const even = { low: 0, high: 4, counts: [1, 1, 1, 1] };

describe("decodeHistograms", () => {
  it("reads a trait and a reply alike", () => {
    const [result, buffers] = histogramReply(3);
    expect(decodeHistograms(result, buffers)).toEqual(decodeHistograms(histogramTrait(3)));
  });

  it("refuses columns of different lengths", () => {
    const odd = { ...histogramTrait(3), low: histogramTrait(2).low };
    expect(() => decodeHistograms(odd)).toThrow("histograms of 3 steps, but columns of 3,2,3,3,3");
  });
});

describe("quantile", () => {
  it("lies within the bin that holds it", () => {
    const h = four(even, { low: -1, high: 1, counts: [0, 0, 8, 0] });
    expect([0, 0.25, 0.5, 1].map((q) => quantile(h, 0, q))).toEqual([0, 1, 2, 4]);
    expect([0, 0.5, 1].map((q) => quantile(h, 1, q))).toEqual([0, 0.25, 0.5]);
    expect([total(h, 0), total(h, 1)]).toEqual([4, 8]);
  });

  it("is NaN for a histogram without entries", () => {
    const none = four({ low: Number.NaN, high: Number.NaN, counts: [0, 0, 0, 0], nan: 9 });
    expect(quantile(none, 0, 0.5)).toBeNaN();
    expect(extent(none, [0])).toEqual([-1, 1]);
  });
});

describe("extent", () => {
  it("holds all of them, and a single far entry does not squeeze the others", () => {
    const far = four({ low: 0, high: 400, counts: [9999, 0, 0, 1] });
    expect(extent(far, [0])[1]).toBeLessThan(110);
    const [low, high] = extent(four(even, { ...even, low: -4, high: 0 }), [0, 1]);
    expect(low).toBeGreaterThan(-4.4);
    expect(low).toBeLessThan(-3.9);
    expect(high).toBeCloseTo(-low, 6);
  });

  it("has a width where all entries are one number", () => {
    const [low, high] = extent(four({ low: 2, high: 2, counts: [0, 0, 5, 0] }), [0]);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    const [a, b] = extent(four({ low: 0, high: 0, counts: [0, 0, 5, 0] }), [0]);
    expect(a).toBeLessThan(b);
  });
});

describe("choose", () => {
  const many = (n: number, broken: number[] = []) =>
    four(...Array.from({ length: n }, (_, i) => ({ ...even, nan: broken.includes(i) ? 1 : 0 })));

  it("takes all that fit", () => {
    expect(choose(many(3), 5)).toEqual([0, 1, 2]);
    expect(choose(many(0), 5)).toEqual([]);
  });

  it("keeps the first and the newest of many", () => {
    const which = choose(many(200), 10);
    expect(which[0]).toBe(0);
    expect(which.at(-1)).toBe(199);
    expect(which).toHaveLength(10);
  });

  it("never skips one with NaN for a clean one", () => {
    expect(choose(many(200, [73]), 10)).toContain(73);
  });
});

describe("linearTicks", () => {
  it("takes round numbers", () => {
    expect(linearTicks(-0.34, 0.46, 4)).toEqual([-0.2, 0, 0.2, 0.4]);
    expect(linearTicks(-1, 1, 2)).toEqual([-1, 0, 1]);
  });
});
