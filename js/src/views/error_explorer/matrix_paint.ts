/** Draws the confusion matrix: errors in colour, right answers in quiet grey. */

import { type Confusion, worsening } from "./confusion";
import {
  COUNT_CELL,
  cellCorner,
  FONT,
  inView,
  LINE,
  labelStep,
  type MatrixLayout,
  NONFINITE_LABEL,
  showsLabel,
} from "./layout";
import { type Cell, NOT_FINITE, sameCell } from "./types";
import { share, signed } from "./words";

/** From this cell size on a cell holds both its count and its share. */
const BOTH_CELL = 56;

export type Shown = "counts" | "share" | "change";

export interface MatrixColours {
  text: string;
  quiet: string;
  background: string;
  grid: string;
  /** Right answers: from a class always missed (0) to one always found (1). */
  right: (share: number) => string;
  rightText: string;
  /** Errors: from the rarest (0) to the most frequent (1). */
  error: (share: number) => string;
  /** From much better (-1) over the same (0) to much worse (1) than the baseline. */
  change: (level: number) => string;
  changeGrid: string;
  /** Black or white, whichever reads better on a fill. */
  on: (fill: string) => string;
  accent: string;
  family: string;
}

export interface MatrixPicture {
  layout: MatrixLayout;
  matrix: Confusion;
  names: readonly string[];
  shown: Shown;
  hovered: Cell | null;
  focused: Cell | null;
  opened: Cell | null;
  colours: MatrixColours;
}

/** Share of the colour scale that a cell takes: 0 = blank, 1 = the largest error. */
export function errorLevel(matrix: Confusion, cell: Cell, shown: Shown): number {
  const [value, most] =
    shown === "share"
      ? [matrix.share(cell), matrix.largestErrorShare]
      : [matrix.count(cell), matrix.largestError];
  return value > 0 && most > 0 ? value / most : 0;
}

/** -1 = the largest change there is, for the better; 1 = for the worse. Little stays visible. */
export function changeLevel(matrix: Confusion, cell: Cell): number {
  const worse = worsening(matrix, cell);
  if (worse === 0 || matrix.largestChange === 0) return 0;
  const share = Math.abs(worse) / matrix.largestChange;
  return Math.sign(worse) * (0.15 + 0.75 * share);
}

/** What only changes with the data or the size: drawn once, and laid under what a pointer does. */
export function paintStill(ctx: CanvasRenderingContext2D, picture: MatrixPicture): void {
  ctx.lineJoin = "miter";
  paintGrid(ctx, picture);
  paintCells(ctx, picture);
}

/** The rest, around the still part that `still` draws. */
export function paintMatrix(
  ctx: CanvasRenderingContext2D,
  picture: MatrixPicture,
  still: () => void,
): void {
  ctx.clearRect(0, 0, picture.layout.width, picture.layout.height);
  ctx.lineJoin = "miter";
  // Under the cells: what is pointed at must not change their colours.
  paintCrosshair(ctx, picture);
  still();
  paintLabels(ctx, picture);
  paintAxisTitles(ctx, picture);
  for (const [cell, width] of [
    [picture.opened, 2.5],
    [picture.focused, 2],
    [picture.hovered, 1.5],
  ] as const) {
    if (cell && inView(picture.layout, cell)) outline(ctx, picture, cell, width);
  }
}

function paintGrid(ctx: CanvasRenderingContext2D, picture: MatrixPicture): void {
  const { layout, colours, shown } = picture;
  const { x0, y0, cell, view } = layout;
  const side = view.span * cell;
  if (shown === "change") {
    // What stayed as it was is neutral, and so is what was never there.
    ctx.fillStyle = colours.change(0);
    ctx.fillRect(x0, y0, side, side);
  }
  ctx.strokeStyle = shown === "change" ? colours.changeGrid : colours.grid;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const every = cell >= 12 ? 1 : labelStep(cell, 40);
  for (let i = 0; i <= view.span; i++) {
    if (i % every !== 0 && i !== view.span) continue;
    const at = Math.round(i * cell);
    ctx.moveTo(x0, y0 + at + 0.5);
    ctx.lineTo(x0 + side + 0.5, y0 + at + 0.5);
    ctx.moveTo(x0 + at + 0.5, y0);
    ctx.lineTo(x0 + at + 0.5, y0 + side + 0.5);
  }
  ctx.stroke();
  ctx.strokeStyle = colours.grid;
  if (layout.hasNonfinite) ctx.strokeRect(layout.nonfiniteX + 0.5, y0 + 0.5, cell, side);
}

function paintCells(ctx: CanvasRenderingContext2D, picture: MatrixPicture): void {
  const { layout, matrix } = picture;
  const { size } = matrix;
  // Where cells are smaller than a pixel, the larger error is drawn last and stays visible.
  const right: Cell[] = [];
  const wrong: Cell[] = [];
  for (const at of matrix.filled) {
    const cell: Cell = [Math.floor(at / size), at % size];
    if (inView(layout, cell)) (cell[0] === cell[1] ? right : wrong).push(cell);
  }
  if (layout.hasNonfinite) {
    for (const t of layout.order) {
      const cell: Cell = [t, NOT_FINITE];
      if (matrix.count(cell) > 0 && inView(layout, cell)) wrong.push(cell);
    }
  }
  for (const cell of right) paintCell(ctx, picture, cell);
  for (const cell of wrong) paintCell(ctx, picture, cell);
}

function paintCell(ctx: CanvasRenderingContext2D, picture: MatrixPicture, cell: Cell): void {
  const { layout, matrix, colours, shown } = picture;
  const inset = layout.cell >= 8 ? 1 : 0;
  const side = Math.max(1, layout.cell - inset);
  const { x, y } = cellCorner(layout, cell);
  const right = cell[0] === cell[1];
  let fill: string;
  if (shown === "change") {
    if (matrix.change?.(cell) === 0) return;
    fill = colours.change(changeLevel(matrix, cell));
  } else if (matrix.count(cell) === 0) {
    return;
  } else if (right) fill = colours.right(matrix.share(cell));
  else fill = colours.error(errorLevel(matrix, cell, shown));
  ctx.fillStyle = fill;
  ctx.fillRect(x + inset, y + inset, side, side);
  if (layout.cell >= COUNT_CELL) paintNumber(ctx, picture, cell, fill);
}

function paintNumber(
  ctx: CanvasRenderingContext2D,
  { layout, matrix, colours, shown }: MatrixPicture,
  cell: Cell,
  fill: string,
): void {
  const corner = cellCorner(layout, cell);
  const x = corner.x + layout.cell / 2 + 0.5;
  const y = corner.y + layout.cell / 2 + 1;
  const count =
    shown === "change" ? signed(matrix.change?.(cell) ?? 0) : String(matrix.count(cell));
  const both = layout.cell >= BOTH_CELL;
  const right = cell[0] === cell[1];
  // "row %" says the unit where the cell has no room for it.
  const percent = share(matrix.share(cell), both);
  const [first, second] =
    shown === "share"
      ? [percent, count]
      : [count, shown === "counts" ? percent : `now ${matrix.count(cell)}`];
  const size = both
    ? Math.min(28, Math.round(layout.cell * 0.22))
    : fitFont(ctx, first, layout.cell - 5, colours.family);
  if (size < 8) return;
  const grey = right && shown !== "change";
  ctx.fillStyle = grey ? colours.rightText : colours.on(fill);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.font = `${grey ? "" : "600 "}${size}px ${colours.family}`;
  ctx.fillText(first, x, both ? y - size * 0.45 : y);
  if (!both) return;
  ctx.font = `${Math.max(10, Math.round(size * 0.6))}px ${colours.family}`;
  ctx.fillText(second, x, y + size * 0.65);
}

function fitFont(
  ctx: CanvasRenderingContext2D,
  text: string,
  room: number,
  family: string,
): number {
  ctx.font = `600 ${FONT}px ${family}`;
  const width = ctx.measureText(text).width;
  return Math.min(FONT, Math.floor((FONT * room) / Math.max(1, width)));
}

function paintCrosshair(ctx: CanvasRenderingContext2D, picture: MatrixPicture): void {
  const { layout, colours } = picture;
  const cell = picture.hovered ?? picture.focused;
  if (!cell || !inView(layout, cell)) return;
  const { x, y } = cellCorner(layout, cell);
  ctx.save();
  ctx.globalAlpha = 0.12;
  ctx.fillStyle = colours.text;
  ctx.fillRect(layout.x0, y, Math.max(0, x - layout.x0), layout.cell);
  ctx.fillRect(x, layout.y0, layout.cell, Math.max(0, y - layout.y0));
  ctx.restore();
}

function paintLabels(ctx: CanvasRenderingContext2D, picture: MatrixPicture): void {
  const { layout, names, colours } = picture;
  const pointed = picture.hovered ?? picture.focused ?? picture.opened;
  const { view, order } = layout;
  const pointedRow = pointed ? (layout.position[pointed[0]] ?? -1) - view.row : -1;
  const pointedColumn =
    pointed && pointed[1] !== NOT_FINITE ? (layout.position[pointed[1]] ?? -1) - view.column : -1;
  for (let i = 0; i < view.span; i++) {
    if (labelled(i, layout.rowStep, pointedRow, layout.cell)) {
      rowLabel(ctx, layout, i, names[order[view.row + i] ?? 0] ?? "", colours, i === pointedRow);
    }
    if (labelled(i, layout.columnStep, pointedColumn, layout.cell)) {
      const name = names[order[view.column + i] ?? 0] ?? "";
      columnLabel(ctx, layout, layout.x0 + i * layout.cell, name, colours, i === pointedColumn);
    }
  }
  if (layout.hasNonfinite) {
    const strong = pointed?.[1] === NOT_FINITE;
    const x = layout.nonfiniteX;
    if (layout.turn === "flat") {
      const [above = "", below = ""] = NONFINITE_LABEL;
      columnLabel(ctx, layout, x, above, colours, strong, LINE);
      columnLabel(ctx, layout, x, below, colours, strong);
    } else columnLabel(ctx, layout, x, NONFINITE_LABEL.join(" "), colours, strong);
  }
}

/** The label pointed at is always drawn; thinned ones that would run into it make room. */
function labelled(position: number, step: number, pointed: number, cell: number): boolean {
  if (position === pointed) return true;
  if (!showsLabel(position, step)) return false;
  return pointed < 0 || Math.abs(position - pointed) * cell >= FONT + 2;
}

function rowLabel(
  ctx: CanvasRenderingContext2D,
  layout: MatrixLayout,
  position: number,
  name: string,
  colours: MatrixColours,
  strong: boolean,
): void {
  const y = layout.y0 + (position + 0.5) * layout.cell + 0.5;
  ctx.font = `${strong ? "600 " : ""}${FONT}px ${colours.family}`;
  ctx.fillStyle = strong ? colours.text : colours.quiet;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillText(name, layout.x0 - 6, y);
}

function columnLabel(
  ctx: CanvasRenderingContext2D,
  layout: MatrixLayout,
  left: number,
  name: string,
  colours: MatrixColours,
  strong: boolean,
  raised = 0,
): void {
  ctx.save();
  ctx.font = `${strong ? "600 " : ""}${FONT}px ${colours.family}`;
  ctx.fillStyle = strong ? colours.text : colours.quiet;
  ctx.translate(left + layout.cell / 2 + 0.5, layout.y0 - 6 - raised);
  if (layout.turn === "flat") {
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
  } else {
    ctx.rotate(layout.turn === "slanted" ? -Math.PI / 4 : -Math.PI / 2);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
  }
  ctx.fillText(name, 0, 0);
  ctx.restore();
}

function paintAxisTitles(ctx: CanvasRenderingContext2D, { layout, colours }: MatrixPicture): void {
  const middle = (layout.view.span * layout.cell) / 2;
  ctx.save();
  ctx.font = `600 ${FONT}px ${colours.family}`;
  ctx.fillStyle = colours.text;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText("predicted class", layout.x0 + middle, 9);
  ctx.translate(9, layout.y0 + middle);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText("true class", 0, 0);
  ctx.restore();
}

function outline(
  ctx: CanvasRenderingContext2D,
  { layout, colours, opened }: MatrixPicture,
  cell: Cell,
  width: number,
): void {
  const { x, y } = cellCorner(layout, cell);
  // Tiny cells get a ring that is larger than themselves.
  const side = Math.max(layout.cell + 1, 9);
  const shift = (side - layout.cell - 1) / 2;
  ctx.strokeStyle = colours.background;
  ctx.lineWidth = width + 2;
  ctx.strokeRect(x - shift + 0.5, y - shift + 0.5, side - 1 + 0.5, side - 1 + 0.5);
  ctx.strokeStyle = sameCell(cell, opened) ? colours.accent : colours.text;
  ctx.lineWidth = width;
  ctx.strokeRect(x - shift + 0.5, y - shift + 0.5, side - 1 + 0.5, side - 1 + 0.5);
}
