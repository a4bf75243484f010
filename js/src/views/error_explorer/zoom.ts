/** Which part of a large matrix is in view: nearer, farther, moved along, always within it. */

import type { Window } from "./layout";

/** From this many classes on a part of the matrix can be looked at by itself. */
export const ZOOM_FROM = 40;
/** Fewest classes in view: as many as leave room for a count in each cell. */
const LEAST = 10;

export function whole(classes: number): Window {
  return { row: 0, column: 0, span: classes };
}

/** `factor` < 1 looks nearer; the cell at (row, column), in display positions, stays in place. */
export function zoomBy(
  view: Window,
  classes: number,
  factor: number,
  row = view.row + view.span / 2,
  column = view.column + view.span / 2,
): Window {
  const least = Math.min(LEAST, classes);
  const span = Math.round(Math.min(classes, Math.max(least, view.span * factor)));
  const keep = (at: number, first: number) => at - ((at - first) / view.span) * span;
  return clamp({ row: keep(row, view.row), column: keep(column, view.column), span }, classes);
}

/** Moved by so many rows and columns. */
export function moveBy(view: Window, classes: number, rows: number, columns: number): Window {
  return clamp({ ...view, row: view.row + rows, column: view.column + columns }, classes);
}

/** Moved as little as brings a cell into view. */
export function toShow(view: Window, classes: number, row: number, column: number): Window {
  const near = (at: number, first: number) =>
    at < first ? at : at >= first + view.span ? at - view.span + 1 : first;
  return clamp({ ...view, row: near(row, view.row), column: near(column, view.column) }, classes);
}

function clamp({ row, column, span }: Window, classes: number): Window {
  const within = (first: number) => Math.max(0, Math.min(classes - span, Math.round(first)));
  return { row: within(row), column: within(column), span };
}
