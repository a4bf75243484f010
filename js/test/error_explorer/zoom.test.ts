import { describe, expect, it } from "vitest";
import { onTrait } from "../../dev/pack";
import { confusion, rankChanges, worsening } from "../../src/views/error_explorer/confusion";
import { cellAt, cellCorner, inView, layOut } from "../../src/views/error_explorer/layout";
import { readMatrix } from "../../src/views/error_explorer/reading";
import { moveBy, toShow, whole, zoomBy } from "../../src/views/error_explorer/zoom";

describe("the part of a matrix in view", () => {
  it("keeps the cell under the pointer in place", () => {
    const near = zoomBy(whole(1000), 1000, 0.5, 200, 800);
    expect(near).toEqual({ row: 100, column: 400, span: 500 });
    expect(zoomBy(near, 1000, 2, 200, 800)).toEqual(whole(1000));
  });

  it("stays within the matrix, and shows ten classes at least", () => {
    expect(zoomBy(whole(100), 100, 0.001, 0, 99)).toEqual({ row: 0, column: 89, span: 10 });
    expect(zoomBy(whole(4), 4, 0.1)).toEqual(whole(4));
    expect(moveBy({ row: 5, column: 5, span: 10 }, 20, -9, 99)).toEqual({
      row: 0,
      column: 10,
      span: 10,
    });
    expect(zoomBy({ row: 5, column: 5, span: 10 }, 20, 100)).toEqual(whole(20));
  });

  it("moves no farther than brings a cell into view", () => {
    const view = { row: 10, column: 10, span: 10 };
    expect(toShow(view, 100, 12, 19)).toEqual(view);
    expect(toShow(view, 100, 9, 20)).toEqual({ row: 9, column: 11, span: 10 });
  });

  it("finds the cells in view by their place, and no others", () => {
    const order = Array.from({ length: 100 }, (_, i) => 99 - i);
    const view = { row: 40, column: 70, span: 10 };
    const nameWidths = order.map(() => 20);
    const layout = layOut({ order, width: 500, hasNonfinite: true, nameWidths, view });
    const { x, y } = cellCorner(layout, [59, 29]);
    expect(x).toBe(layout.x0);
    expect(cellAt(layout, x + 1, y + 1)).toEqual([59, 29]);
    expect(cellAt(layout, layout.x0 + 10.5 * layout.cell, y + 1)).not.toEqual([59, 19]);
    expect(inView(layout, [59, 29])).toBe(true);
    expect(inView(layout, [60, 29])).toBe(false);
    expect(inView(layout, [50, 19])).toBe(false);
    expect(inView(layout, [50, -1])).toBe(true);
  });
});

describe("a matrix of many classes", () => {
  it("comes as its filled cells", () => {
    const at = onTrait(Int32Array.from([1, 8]), [2]);
    const values = onTrait(Int32Array.from([5, -2]), [2]);
    expect([...(readMatrix({ shape: [3, 3], at, values }) as Int32Array)]).toEqual([
      0, 5, 0, 0, 0, 0, 0, 0, -2,
    ]);
    expect(readMatrix(null)).toBeNull();
  });
});

describe("what changed", () => {
  const m = confusion([8, 2, 0, 0, 9, 1, 3, 0, 7], 3, [], [-1, 1, 0, 0, 2, -2, -4, 0, 4]);

  it("is better where there are fewer errors or more right answers", () => {
    expect(worsening(m, [0, 0])).toBe(1);
    expect(worsening(m, [0, 1])).toBe(1);
    expect(worsening(m, [2, 0])).toBe(-4);
    expect(worsening(m, [2, 2])).toBe(-4);
    expect(m.largestChange).toBe(4);
  });

  it("is ranked by size, up or down, the diagonal included", () => {
    expect(rankChanges(m).map(({ cell }) => cell)).toEqual([
      [2, 2],
      [2, 0],
      [1, 1],
      [1, 2],
      [0, 0],
      [0, 1],
    ]);
  });

  it("counts cells that emptied", () => {
    const emptied = confusion([5, 0, 0, 5], 2, [], [0, -3, 0, 3]);
    expect(rankChanges(emptied)).toHaveLength(2);
    expect(emptied.errors).toBe(0);
  });
});
