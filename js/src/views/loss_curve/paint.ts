import { type Draw, number, type Pane, power } from "../../ui";
import { placeOn, ticksOn, tickTexts } from "./axis";
import type { Cells } from "./cells";
import type { Place } from "./findings";
import type { Role } from "./groups";
import type { Layer, Picture } from "./picture";
import { FINITE, NAN } from "./track";

/** Room left of the plot for the values, and above it for marks. */
export const GUTTER = 58;
export const RIGHT = 10;
export const LANE = 18;
/** Room below the plot, for the half of a label that hangs over. */
export const BELOW = 7;

export const COLOR: Record<Role, string> = {
  step: "--lc-training",
  train: "--lc-training",
  val: "--lc-validation",
  test: "--lc-test",
};

interface Frame {
  context: CanvasRenderingContext2D;
  pane: Pane;
  picture: Picture;
  x(step: number): number;
  y(value: number): number;
  top: number;
  bottom: number;
}

/** Draws the curves, from the back to the front: findings, grid, bands, lines, marks. */
export function paint(picture: Picture, places: readonly Place[], chosen: string | null): Draw {
  return (context, pane) => {
    const [top, bottom] = [LANE, pane.height - BELOW];
    const right = pane.width - RIGHT;
    const { first, last, axis } = picture;
    const frame: Frame = {
      context,
      pane,
      picture,
      top,
      bottom,
      x: (step) => GUTTER + ((step - first) / (last - first)) * (right - GUTTER),
      y: (value) => bottom - placeOn(axis, value) * (bottom - top),
    };
    for (const place of places) span(frame, place, place.finding.code === chosen);
    grid(frame, right);
    context.save();
    context.beginPath();
    context.rect(GUTTER - 4, top, right - GUTTER + 8, bottom - top + 1);
    context.clip();
    for (const layer of picture.layers) curve(frame, layer);
    context.restore();
    for (const layer of picture.layers) {
      for (const i of layer.spikes) spike(frame, layer, i);
    }
    bads(frame, right);
  };
}

function span({ context, pane, x, bottom }: Frame, place: Place, chosen: boolean): void {
  const color = pane.color(`--nbd-${place.finding.severity}`);
  const [from, to] = [x(place.from), x(place.to)];
  context.fillStyle = color;
  context.globalAlpha = chosen ? 0.2 : 0.09;
  if (to > from) context.fillRect(from, 0, to - from, bottom);
  context.globalAlpha = chosen ? 1 : 0.75;
  context.fillRect(from - 0.5, 0, chosen ? 2 : 1.25, bottom);
  context.globalAlpha = 1;
}

function grid({ context, pane, picture, y, top, bottom }: Frame, right: number): void {
  const { axis } = picture;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  const decades = axis.kind === "log" && axis.high - axis.low >= 2;
  const values = ticksOn(axis, Math.max(2, Math.floor((bottom - top) / 44)));
  const texts = decades
    ? values.map((value) => power(Math.round(Math.log10(value))))
    : axis.kind === "log"
      ? values.map((value) => number(Number(value.toPrecision(6))))
      : tickTexts(values);
  for (const [k, value] of values.entries()) {
    const at = Math.round(y(value)) + 0.5;
    context.fillStyle = pane.color("--nbd-line");
    context.fillRect(GUTTER, at - 0.5, right - GUTTER, 1);
    context.fillStyle = pane.color("--nbd-muted");
    context.fillText(texts[k] ?? "", GUTTER - 8, at);
  }
  context.fillStyle = pane.color("--nbd-line-strong");
  context.fillRect(GUTTER, bottom, right - GUTTER, 1);
}

/** A line through the values, broken where there is no number. */
function trace({ context, x, y }: Frame, steps: Float64Array, values: Float64Array, n: number) {
  context.beginPath();
  let down = false;
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    const drawn = Number.isFinite(value);
    if (drawn && down) context.lineTo(x(steps[i] as number), y(value));
    else if (drawn) context.moveTo(x(steps[i] as number), y(value));
    down = drawn;
  }
  context.stroke();
}

function curve(frame: Frame, { cells, role, dense, smoothed }: Layer): void {
  const { context, pane, x, y } = frame;
  const color = pane.color(COLOR[role]);
  context.strokeStyle = context.fillStyle = color;
  context.lineJoin = "round";
  if (dense) {
    context.globalAlpha = 0.34;
    for (let i = 0; i < cells.length; i++) {
      const [low, high] = [y(cells.low[i] as number), y(cells.high[i] as number)];
      if (low - high > 1)
        context.fillRect(x(cells.steps[i] as number) - 0.6, high, 1.2, low - high);
    }
    context.globalAlpha = 0.5;
    context.lineWidth = 1;
    trace(frame, cells.steps, cells.mean, cells.length);
    context.globalAlpha = 1;
    halo(frame, cells, smoothed);
  }
  context.strokeStyle = color;
  context.lineWidth = dense ? 2.25 : 1.75;
  if (role !== "step" && !dense) context.setLineDash(role === "train" ? [] : [6, 3]);
  trace(frame, cells.steps, smoothed, cells.length);
  context.setLineDash([]);
  if (!dense) for (let i = 0; i < cells.length; i++) dot(frame, cells, i, role);
}

/** The smoothed line stays readable on its own band. */
function halo(frame: Frame, cells: Cells, smoothed: Float64Array): void {
  const { context, pane } = frame;
  context.strokeStyle = pane.color("--nbd-bg");
  context.lineWidth = 4.5;
  context.globalAlpha = 0.75;
  trace(frame, cells.steps, smoothed, cells.length);
  context.globalAlpha = 1;
}

/** Round for training, a diamond for validation, a square for test: not by colour alone. */
function dot({ context, pane, x, y }: Frame, cells: Cells, i: number, role: Role): void {
  const value = cells.mean[i] as number;
  if (!Number.isFinite(value)) return;
  const [cx, cy] = [x(cells.steps[i] as number), y(value)];
  context.beginPath();
  if (role === "val") {
    context.moveTo(cx, cy - 5.5);
    for (const [dx, dy] of [
      [5.5, 0],
      [0, 5.5],
      [-5.5, 0],
    ] as const) {
      context.lineTo(cx + dx, cy + dy);
    }
    context.closePath();
  } else if (role === "test") context.rect(cx - 4, cy - 4, 8, 8);
  else context.arc(cx, cy, role === "step" ? 2.5 : 4, 0, 7);
  context.fill();
  const ink = context.strokeStyle;
  context.strokeStyle = pane.color("--nbd-bg");
  context.lineWidth = 1;
  context.stroke();
  context.strokeStyle = ink;
}

/** A triangle over a value far out of line; one that is cut by the axis carries its number. */
function spike({ context, pane, picture, x, y, top }: Frame, layer: Layer, i: number): void {
  const value = layer.cells.high[i] as number;
  const cx = x(layer.cells.steps[i] as number);
  const cut = placeOn(picture.axis, value) > 1;
  const cy = cut ? top + 1 : Math.max(top - 4, y(value) - 4);
  context.fillStyle = pane.color("--nbd-fg");
  context.beginPath();
  const tip = cut ? -9 : 0;
  context.moveTo(cx, cy + (cut ? tip : 0));
  context.lineTo(cx - 4.5, cy + (cut ? -1 : -8));
  context.lineTo(cx + 4.5, cy + (cut ? -1 : -8));
  context.fill();
}

interface BadRun {
  from: number;
  to: number;
  status: number;
}

/** Neighbouring cells that hold the same kind of non-number. */
export function badRuns(cells: Cells): BadRun[] {
  const runs: BadRun[] = [];
  for (let i = 0; i < cells.length; i++) {
    const status = cells.bad[i] as number;
    if (status === FINITE) continue;
    const last = runs.at(-1);
    if (last && last.to === i - 1 && last.status === status) last.to = i;
    else runs.push({ from: i, to: i, status });
  }
  return runs;
}

/** Marks of all curves in one lane, so that their words keep clear of each other. */
function bads({ context, pane, picture, x, top, bottom }: Frame, right: number): void {
  const color = pane.color("--nbd-critical");
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "left";
  const marks = picture.layers.flatMap(({ cells }) =>
    badRuns(cells).map(({ from, to, status }) => ({
      x0: x(cells.steps[from] as number),
      x1: x(cells.steps[to] as number),
      word: status === NAN ? "NaN" : "∞",
    })),
  );
  marks.sort((a, b) => a.x0 - b.x0);
  let free = 0; // where the next sign has room
  for (const [k, { x0, x1, word }] of marks.entries()) {
    context.fillStyle = context.strokeStyle = color;
    context.globalAlpha = 0.3;
    context.fillRect(x0 - 0.75, top, 1.5, bottom - top);
    context.globalAlpha = 1;
    if (x1 - x0 > 4) context.fillRect(x0, top - 3, x1 - x0, 3);
    if (x0 - 5 < free) continue;
    context.lineWidth = 2;
    context.beginPath();
    for (const sign of [-1, 1]) {
      context.moveTo(x0 - 4, top - 8 - 4 * sign);
      context.lineTo(x0 + 4, top - 8 + 4 * sign);
    }
    context.stroke();
    free = x0 + 5;
    const wide = context.measureText(word).width + 14;
    // Room is kept for what says something else only.
    const next = marks.slice(k + 1).find((mark) => mark.word !== word)?.x0 ?? right;
    if (x0 + wide < Math.min(right, next - 5)) {
      context.fillText(word, x0 + 8, top - 8);
      free = x0 + wide;
    }
  }
}
