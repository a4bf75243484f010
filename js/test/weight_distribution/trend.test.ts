import { describe, expect, it } from "vitest";
import { axisText, factor, reachOf, startOf } from "../../src/views/weight_distribution/trend";

describe("the trend of a norm", () => {
  it("starts at the first number", () => {
    const cells = { log: [Number.NaN, -1, 2], status: [3, 0, 0] };
    expect(startOf(cells, 3)).toBe(-1);
    expect(startOf(cells, 1)).toBeNaN();
  });

  it("has one axis for all rows, which does not blow up noise", () => {
    expect(reachOf([{ low: 0.99, high: 1.01, start: 1 }])).toBeCloseTo(Math.log10(1.5), 9);
    expect(
      reachOf([
        { low: 0, high: 1, start: 0.5 },
        { low: -3, high: 0, start: 0 },
        { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, start: Number.NaN },
      ]),
    ).toBe(3);
  });

  it.each([
    [0, "×1.00"],
    [Math.log10(7.92), "×7.92"],
    [Math.log10(0.25), "×0.250"],
    [Math.log10(12.34), "×12.3"],
    [Math.log10(250), "×250"],
    [4, "×1e4"],
    [-5, "×1e-5"],
  ])("a change of 10^%d is %s", (change, text) => {
    expect(factor(change)).toBe(text);
  });

  it.each([
    [Math.log10(1.5), "÷1.5 to ×1.5"],
    [Math.log10(7.92), "÷7.9 to ×7.9"],
    [5, "÷1e5 to ×1e5"],
  ])("labels its axis: %d", (reach, text) => {
    expect(axisText(reach)).toBe(text);
  });
});
