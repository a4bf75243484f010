import { describe, expect, it } from "vitest";
import { confusion, rankErrors } from "../../src/views/error_explorer/confusion";
import { orderClasses } from "../../src/views/error_explorer/ordering";

const three = () => confusion([8, 1, 1, 0, 5, 0, 3, 0, 2], 3);

describe("confusion", () => {
  it("counts rows, errors and the largest error off the diagonal", () => {
    const m = three();
    expect([m.rowTotal(0), m.rowTotal(1), m.rowTotal(2)]).toEqual([10, 5, 5]);
    expect([m.rowErrors(0), m.rowErrors(1), m.rowErrors(2)]).toEqual([2, 0, 3]);
    expect([m.columnErrors(0), m.columnErrors(1), m.columnErrors(2)]).toEqual([3, 1, 1]);
    expect([m.total, m.errors, m.largestError]).toEqual([20, 5, 3]);
    expect(m.share([2, 0])).toBeCloseTo(0.6);
    expect(m.largestErrorShare).toBeCloseTo(0.6);
  });

  it("counts outputs that are not finite in the row, in a column of their own", () => {
    const m = confusion([6, 0, 0, 4], 2, [2, 0]);
    expect(m.hasNonfinite).toBe(true);
    expect(m.count([0, -1])).toBe(2);
    expect(m.share([0, -1])).toBe(0.25);
    expect(m.share([0, 0])).toBe(0.75);
    expect(m.largestError).toBe(2);
  });

  it("has no share for a class without samples", () => {
    const m = confusion([0, 0, 0, 4], 2);
    expect(m.share([0, 0])).toBeNaN();
    expect(m.largestErrorShare).toBe(0);
  });

  it("names a matrix that does not fit the classes", () => {
    expect(() => confusion([1, 2, 3], 2)).toThrow("holds 3 numbers; 2 classes need 4");
  });

  it("ranks errors by count, then by share, then by label", () => {
    expect(rankErrors(three()).map((e) => [...e.cell, e.count])).toEqual([
      [2, 0, 3],
      [0, 1, 1],
      [0, 2, 1],
    ]);
    expect(rankErrors(three(), 1)).toHaveLength(1);
    expect(rankErrors(confusion([4, 0, 0, 4], 2))).toEqual([]);
  });

  it("lets the larger share lead among equal counts", () => {
    const ranked = rankErrors(confusion([98, 2, 2, 6], 2));
    expect(ranked.map((e) => e.cell)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe("orderClasses", () => {
  it("keeps the labels' order", () => {
    expect(orderClasses(three(), "label")).toEqual([0, 1, 2]);
  });

  it("puts the class most often missed first, ties in label order", () => {
    expect(orderClasses(three(), "errors")).toEqual([2, 0, 1]);
    expect(orderClasses(confusion([4, 0, 0, 4], 2), "errors")).toEqual([0, 1]);
  });

  it("makes classes that are taken for one another neighbours", () => {
    // 0 <-> 3 and 1 <-> 4 are confused, 2 is not: two pairs, then the class that stands alone.
    const m = confusion(
      [
        7,
        0,
        0,
        3,
        0, //
        0,
        9,
        0,
        0,
        1,
        0,
        0,
        9,
        0,
        0,
        2,
        0,
        0,
        8,
        0,
        0,
        1,
        0,
        0,
        9,
      ],
      5,
    );
    expect(orderClasses(m, "confusion")).toEqual([0, 3, 1, 4, 2]);
  });

  it("joins groups at the ends that are most alike", () => {
    // 0-1 and 2-3 are tight pairs; 0 and 3 link them, so 1 0 3 2 (or its mirror) is the chain.
    const m = confusion([5, 4, 0, 1, 4, 5, 0, 0, 0, 0, 5, 4, 1, 0, 4, 5], 4);
    const order = orderClasses(m, "confusion").join("");
    expect(["1032", "2301"]).toContain(order);
  });

  it("is a permutation for no, one, and a hundred classes", () => {
    expect(orderClasses(confusion([], 0), "confusion")).toEqual([]);
    expect(orderClasses(confusion([3], 1), "confusion")).toEqual([0]);
    const counts = Array.from({ length: 10_000 }, (_, i) => ((i * 7919) % 31 === 0 ? i % 5 : 0));
    const order = orderClasses(confusion(counts, 100), "confusion");
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
