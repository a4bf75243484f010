import { describe, expect, it } from "vitest";
import { moveCard, moveCell } from "../../src/views/error_explorer/keys";
import {
  cellAt,
  cellCorner,
  cellNear,
  labelStep,
  layOut,
  type MatrixLayout,
} from "../../src/views/error_explorer/layout";
import type { Cell } from "../../src/views/error_explorer/types";

function layout(
  classes: number,
  width: number,
  nameWidth = 10,
  hasNonfinite = false,
): MatrixLayout {
  return layOut({
    order: Array.from({ length: classes }, (_, i) => i),
    width,
    hasNonfinite,
    nameWidths: new Array<number>(classes).fill(nameWidth),
  });
}

describe("layOut", () => {
  it.each([
    [2, 600],
    [2, 1400],
    [10, 600],
    [10, 1400],
    [100, 600],
    [100, 1400],
    [1000, 600],
  ])("fits %i classes into %i px", (classes, width) => {
    for (const nonfinite of [false, true]) {
      const l = layout(classes, width, 60, nonfinite);
      expect(l.width).toBeLessThanOrEqual(width);
      expect(l.cell).toBeGreaterThan(0);
      expect(l.columns).toBe(classes + Number(nonfinite));
    }
  });

  it("keeps two classes large, but no wasteland", () => {
    const l = layout(2, 1400);
    expect(l.cell).toBe(132);
    expect(l.turn).toBe("flat");
    expect(l.rowStep).toBe(1);
  });

  it("turns labels that do not fit beside one another", () => {
    expect(layout(10, 600, 14).turn).toBe("flat");
    expect(layout(10, 600, 70).turn).toBe("slanted");
    expect(layout(100, 600, 70).turn).toBe("upright");
  });

  it("thins labels in steps that people count in", () => {
    expect([20, 14, 8, 5, 2, 0.5].map((cell) => labelStep(cell))).toEqual([1, 1, 2, 5, 10, 50]);
  });

  it("stays under the height it was given", () => {
    const l = layOut({
      order: Array.from({ length: 10 }, (_, i) => i),
      width: 1400,
      hasNonfinite: false,
      nameWidths: new Array<number>(10).fill(10),
      maxHeight: 400,
    });
    expect(l.height).toBeLessThanOrEqual(400);
  });

  it("survives a matrix without classes", () => {
    const l = layout(0, 600);
    expect(l.columns).toBe(0);
    expect(cellAt(l, 100, 100)).toBeNull();
  });
});

describe("cellAt", () => {
  it("finds each cell from its corner, in any order and in the extra column", () => {
    const l = layOut({
      order: [2, 0, 1],
      width: 400,
      hasNonfinite: true,
      nameWidths: [10, 10, 10],
    });
    for (const t of [0, 1, 2]) {
      for (const p of [-1, 0, 1, 2]) {
        const corner = cellCorner(l, [t, p]);
        expect(cellAt(l, corner.x + 1, corner.y + 1)).toEqual([t, p]);
      }
    }
    expect(cellAt(l, l.x0 - 1, l.y0 + 1)).toBeNull();
    expect(cellAt(l, l.x0 + 1, l.y0 - 1)).toBeNull();
    expect(cellAt(l, l.nonfiniteX - 1, l.y0 + 1)).toBeNull();
    expect(cellAt(l, l.width + 5, l.y0 + 1)).toBeNull();
  });

  it("catches a filled neighbour of a tiny empty cell, and only within reach", () => {
    const l = layout(100, 600);
    const filled = (cell: Cell) => (cell[0] === 40 && cell[1] === 7 ? 3 : 0);
    const { x, y } = cellCorner(l, [40, 7]);
    expect(cellNear(l, x + l.cell + 1, y + 1, filled)).toEqual([40, 7]);
    expect(cellNear(l, x + 4 * l.cell, y + 1, filled)).toEqual([40, 11]);
    const large = layout(3, 600);
    const corner = cellCorner(large, [0, 0]);
    const none = (cell: Cell) => (cell[1] === 1 ? 9 : 0);
    expect(cellNear(large, corner.x + large.cell - 1, corner.y + 1, none)).toEqual([0, 0]);
  });
});

describe("moveCell", () => {
  const l = layOut({ order: [2, 0, 1], width: 400, hasNonfinite: true, nameWidths: [9, 9, 9] });
  it.each<[Cell | null, string, Cell | null]>([
    [null, "ArrowRight", [2, 2]],
    [[2, 2], "ArrowRight", [2, 0]],
    [[2, 2], "ArrowDown", [0, 2]],
    [[2, 2], "ArrowLeft", [2, 2]],
    [[2, 2], "ArrowUp", [2, 2]],
    [[0, 1], "ArrowRight", [0, -1]],
    [[0, -1], "ArrowRight", [0, -1]],
    [[0, -1], "ArrowLeft", [0, 1]],
    [[1, 1], "ArrowDown", [1, 1]],
    [[0, 0], "Home", [0, 2]],
    [[0, 0], "End", [0, -1]],
    [[0, 0], "PageUp", [2, 0]],
    [[0, 0], "PageDown", [1, 0]],
    [[0, 0], "x", null],
  ])("from %j by %s to %j", (from, key, to) => {
    expect(moveCell(l, from, key)).toEqual(to);
  });

  it("goes nowhere without classes", () => {
    expect(moveCell(layout(0, 300), null, "ArrowRight")).toBeNull();
  });
});

describe("moveCard", () => {
  // 10 cards in rows of 4: 0-3, 4-7, 8-9.
  it.each([
    [0, "ArrowRight", 1],
    [0, "ArrowLeft", 0],
    [9, "ArrowRight", 9],
    [1, "ArrowUp", 1],
    [5, "ArrowUp", 1],
    [5, "ArrowDown", 9],
    [7, "ArrowDown", 9],
    [9, "ArrowDown", 9],
    [5, "Home", 0],
    [5, "End", 9],
    [1, "PageDown", 9],
    [9, "PageUp", 1],
  ])("from %i by %s to %i", (from, key, to) => {
    expect(moveCard(from, key, 4, 10, 2)).toBe(to);
  });

  it("ignores other keys and an empty gallery", () => {
    expect(moveCard(3, "a", 4, 10, 2)).toBeNull();
    expect(moveCard(0, "ArrowRight", 4, 0, 2)).toBeNull();
  });
});
