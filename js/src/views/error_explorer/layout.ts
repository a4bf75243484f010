/** Where the matrix and its labels lie, in CSS pixels. No DOM: text is measured by the caller. */

import { type Cell, NOT_FINITE } from "./types";

export const FONT = 12;
/** Below this cell size the counts leave the cells. */
export const COUNT_CELL = 22;
const LARGEST_CELL = 132;
/** Least distance between two labels along an axis. */
const LABEL_PITCH = 14;
const GAP = 8;
/** Room for the words "true class" and "predicted class". */
const AXIS_TITLE = 22;
const EDGE = 2;
/** Labels slope where they do not fit side by side, and stand upright in dense matrices. */
export type LabelTurn = "flat" | "slanted" | "upright";

export interface MatrixLayout {
  /** Classes in display order, as rows and as columns. */
  order: readonly number[];
  /** Display position of each class. */
  position: readonly number[];
  /** Display positions of the first row and column in view, and how many classes are. */
  view: Window;
  /** Columns, the one for outputs that are not finite included. */
  columns: number;
  hasNonfinite: boolean;
  width: number;
  height: number;
  /** Top left corner of the first cell. */
  x0: number;
  y0: number;
  cell: number;
  /** Left edge of the column "not finite". */
  nonfiniteX: number;
  rowLabelWidth: number;
  columnLabelHeight: number;
  turn: LabelTurn;
  /** Every how many classes a label is drawn. */
  rowStep: number;
  columnStep: number;
}

/** A part of the matrix, in display positions: `span` rows from `row`, columns from `column`. */
export interface Window {
  row: number;
  column: number;
  span: number;
}

export interface LayoutInput {
  order: readonly number[];
  width: number;
  hasNonfinite: boolean;
  /** Width in pixels of each class's name, already shortened, by class. */
  nameWidths: readonly number[];
  /** Tallest matrix that is still comfortable to look at. */
  maxHeight?: number;
  /** The part to show, all of it where none is given. */
  view?: Window | null;
}

/** Label steps people count in: 1, 2, 5, 10, 20, 50 ... */
export function labelStep(cell: number, pitch = LABEL_PITCH): number {
  const least = pitch / Math.max(cell, 1e-9);
  for (let decade = 1; ; decade *= 10) {
    for (const step of [1, 2, 5]) if (step * decade >= least) return step * decade;
  }
}

export function layOut(input: LayoutInput): MatrixLayout {
  const { order, hasNonfinite } = input;
  const view = input.view ?? { row: 0, column: 0, span: order.length };
  const classes = view.span;
  const columns = classes + (hasNonfinite ? 1 : 0);
  const longest = Math.max(0, ...order.map((c) => input.nameWidths[c] ?? 0));
  const gap = hasNonfinite ? GAP : 0;
  const rowLabelWidth = Math.ceil(longest) + 8;
  const x0 = AXIS_TITLE + rowLabelWidth;
  const room = (overhang: number): number => input.width - x0 - gap - EDGE - overhang;
  const largestCell = (columnLabelHeight: number, overhang: number): number => {
    const across = room(overhang) / Math.max(1, columns);
    const down =
      ((input.maxHeight ?? Infinity) - AXIS_TITLE - columnLabelHeight - EDGE) /
      Math.max(1, classes);
    const size = Math.max(0.05, Math.min(LARGEST_CELL, across, down));
    return size >= 1 ? Math.floor(size) : size;
  };
  let columnLabelHeight = FONT + 8 + (hasNonfinite ? LINE : 0);
  let turn: LabelTurn = "flat";
  let overhang = 0;
  let cell = largestCell(columnLabelHeight, 0);
  const needed = Math.max(longest + 8, hasNonfinite ? NONFINITE_WORD_WIDTH - gap : 0);
  if (needed > cell) {
    turn = "slanted";
    const widest = Math.max(longest, hasNonfinite ? NONFINITE_LABEL_WIDTH : 0);
    const reach = Math.ceil(widest * Math.SQRT1_2) + FONT;
    columnLabelHeight = reach;
    // A sloping label leans to the right of its column: keep the last one inside the picture.
    overhang = Math.max(0, Math.ceil(widest * Math.SQRT1_2) - 4);
    cell = largestCell(columnLabelHeight, overhang);
    overhang = Math.max(0, overhang - Math.floor(cell / 2));
    cell = largestCell(columnLabelHeight, overhang);
    if (cell < LABEL_PITCH * Math.SQRT2) {
      turn = "upright";
      overhang = 0;
      columnLabelHeight = Math.ceil(widest) + 8;
      cell = largestCell(columnLabelHeight, 0);
    }
  }
  const y0 = AXIS_TITLE + columnLabelHeight;
  const nonfiniteX = x0 + classes * cell + gap;
  const position: number[] = new Array<number>(order.length).fill(0);
  for (const [i, c] of order.entries()) position[c] = i;
  return {
    order,
    position,
    view,
    columns,
    hasNonfinite,
    width: Math.ceil((hasNonfinite ? nonfiniteX + cell : nonfiniteX) + EDGE + overhang),
    height: Math.ceil(y0 + classes * cell + EDGE),
    x0,
    y0,
    cell,
    nonfiniteX,
    rowLabelWidth,
    columnLabelHeight,
    turn,
    rowStep: labelStep(cell),
    columnStep: labelStep(cell),
  };
}

/** Heading of the extra column: two lines where labels lie flat, one where they are turned. */
export const NONFINITE_LABEL = ["not", "finite"];
export const LINE = 14;
const NONFINITE_LABEL_WIDTH = 60;
const NONFINITE_WORD_WIDTH = 36;

export function cellCorner(layout: MatrixLayout, [t, p]: Cell): { x: number; y: number } {
  const { view } = layout;
  const column = (layout.position[p] ?? 0) - view.column;
  return {
    x: p === NOT_FINITE ? layout.nonfiniteX : layout.x0 + column * layout.cell,
    y: layout.y0 + ((layout.position[t] ?? 0) - view.row) * layout.cell,
  };
}

/** Whether a cell lies in the part that is shown. */
export function inView({ position, view }: MatrixLayout, [t, p]: Cell): boolean {
  const inside = (at: number, first: number) => at >= first && at < first + view.span;
  return (
    inside(position[t] ?? -1, view.row) &&
    (p === NOT_FINITE || inside(position[p] ?? -1, view.column))
  );
}

/** The class at a place along an axis, counted from the first in view. */
function classAt({ order, view }: MatrixLayout, first: number, place: number): number | undefined {
  return place >= 0 && place < view.span ? order[first + place] : undefined;
}

/** The cell under a point, or null beside the matrix. */
export function cellAt(layout: MatrixLayout, x: number, y: number): Cell | null {
  const t = classAt(layout, layout.view.row, Math.floor((y - layout.y0) / layout.cell));
  if (t === undefined) return null;
  if (layout.hasNonfinite && x >= layout.nonfiniteX) {
    return x < layout.nonfiniteX + layout.cell ? [t, NOT_FINITE] : null;
  }
  const p = classAt(layout, layout.view.column, Math.floor((x - layout.x0) / layout.cell));
  return p === undefined ? null : [t, p];
}

/**
 * The cell meant by a point. Cells a few pixels wide are hard to hit: an empty one gives way
 * to the nearest filled one within reach.
 */
export function cellNear(
  layout: MatrixLayout,
  x: number,
  y: number,
  count: (cell: Cell) => number,
  reach = 5,
): Cell | null {
  const under = cellAt(layout, x, y);
  if (under === null || layout.cell >= 2 * reach || count(under) > 0) return under;
  let best = under;
  let least = reach * reach;
  const across = Math.ceil(reach / layout.cell);
  const { view } = layout;
  const row = (layout.position[under[0]] ?? 0) - view.row;
  const column =
    under[1] === NOT_FINITE ? view.span : (layout.position[under[1]] ?? 0) - view.column;
  for (let i = row - across; i <= row + across; i++) {
    for (let j = column - across; j <= column + across; j++) {
      const t = classAt(layout, view.row, i);
      const p = classAt(layout, view.column, j);
      if (t === undefined || p === undefined || count([t, p]) === 0) continue;
      const corner = cellCorner(layout, [t, p]);
      const dx = corner.x + layout.cell / 2 - x;
      const dy = corner.y + layout.cell / 2 - y;
      if (dx * dx + dy * dy < least) {
        least = dx * dx + dy * dy;
        best = [t, p];
      }
    }
  }
  return best;
}

/** Whether the label at a display position is drawn; the last class keeps none if crowded. */
export function showsLabel(position: number, step: number): boolean {
  return position % step === 0;
}
