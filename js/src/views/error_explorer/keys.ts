/** Arrow keys in the matrix and in the gallery. */

import type { MatrixLayout } from "./layout";
import { type Cell, NOT_FINITE } from "./types";

/** The cell reached from `cell` by a key; null where the key does not move. */
export function moveCell(layout: MatrixLayout, cell: Cell | null, key: string): Cell | null {
  const last = layout.order.length - 1;
  if (last < 0) return null;
  const lastColumn = layout.hasNonfinite ? last + 1 : last;
  let row = cell === null ? 0 : (layout.position[cell[0]] ?? 0);
  let column =
    cell === null ? 0 : cell[1] === NOT_FINITE ? last + 1 : (layout.position[cell[1]] ?? 0);
  const step = stepOf(key);
  if (step !== null) {
    if (cell !== null) {
      row = clamp(row + step[1], 0, last);
      column = clamp(column + step[0], 0, lastColumn);
    }
  } else if (key === "Home") column = 0;
  else if (key === "End") column = lastColumn;
  else if (key === "PageUp") row = 0;
  else if (key === "PageDown") row = last;
  else return null;
  return [layout.order[row] ?? 0, column > last ? NOT_FINITE : (layout.order[column] ?? 0)];
}

/** The card reached from card `index` in a grid `columns` wide; null where the key does not move. */
export function moveCard(
  index: number,
  key: string,
  columns: number,
  total: number,
  rowsInView: number,
): number | null {
  if (total === 0) return null;
  const step = stepOf(key);
  const to = (next: number): number => clamp(next, 0, total - 1);
  if (step !== null) {
    const next = index + step[0] + step[1] * columns;
    // Up and down stay in their column: no jump to the first or last card.
    return next < 0 || (next >= total && step[1] === 0) ? index : to(next);
  }
  if (key === "Home") return 0;
  if (key === "End") return total - 1;
  if (key === "PageUp") return to(index - columns * Math.max(1, rowsInView));
  if (key === "PageDown") return to(index + columns * Math.max(1, rowsInView));
  return null;
}

function stepOf(key: string): [number, number] | null {
  if (key === "ArrowLeft") return [-1, 0];
  if (key === "ArrowRight") return [1, 0];
  if (key === "ArrowUp") return [0, -1];
  if (key === "ArrowDown") return [0, 1];
  return null;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
