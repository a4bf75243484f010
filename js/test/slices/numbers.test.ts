import { describe, expect, it } from "vitest";
import { axisEnd, between, share, ticks } from "../../src/slices";

describe("shares", () => {
  it.each([
    [[0.31, 0.12], 0.4],
    [[0.004], 0.01],
    [[1], 1],
    [[], 0.01],
    [[1.7], 1],
  ])("an axis for %j ends at %d", (highs, end) => {
    expect(axisEnd(highs as number[])).toBe(end);
  });

  it.each([0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1])(
    "an axis to %d has a few marks, the last one inside",
    (end) => {
      const marks = ticks(end);
      expect(marks.length).toBeGreaterThanOrEqual(3);
      expect(marks.length).toBeLessThanOrEqual(6);
      expect(marks[0]).toBe(0);
      expect(marks.at(-1)).toBeLessThanOrEqual(end + 1e-9);
    },
  );

  it.each([
    [0.4211, "42.1 %"],
    [0, "0.0 %"],
    [1, "100.0 %"],
    [0.0001, "0.01 %"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%s reads %s", (value, text) => {
    expect(share(value)).toBe(text);
  });

  it("an interval names the unit once", () => {
    expect(between(0.258, 0.32)).toBe("25.8 to 32.0 %");
  });
});
