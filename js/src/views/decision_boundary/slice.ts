/** A slice as the kernel sends it. */

import { number } from "../../ui";
import { decodeArray, decodeAs } from "../../wire";

export interface Axis {
  name: string;
  number: number;
  kind: string;
  /** Every value stands for itself: drawn as a band, not blended into the next. */
  discrete: boolean;
  values: number[];
}

/** Probabilities (K, H, W), NaN where the model has none; row 0 is the least value of y. */
export interface Field {
  classes: number[];
  height: number;
  width: number;
  values: Float32Array;
}

export interface Points {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  rows: ArrayLike<number>;
  told: ArrayLike<number>;
  true: ArrayLike<number> | null;
  closeness: ArrayLike<number>;
}

export interface Roughness {
  flips: number;
  control: number;
  walks: number;
  erratic: boolean;
}

export interface Slice {
  x: Axis;
  y: Axis;
  field: Field;
  control: Field | null;
  reach: Float32Array;
  points: Points;
  hold: "typical" | number;
  held: [string, string][];
  roughness: Roughness | null;
  unmeasured: string;
}

const LOST = 65535;

function fieldOf(value: unknown, classes: number[]): Field {
  const { data, shape } = decodeAs(value, "uint16");
  const [, height = 0, width = 0] = shape;
  const values = Float32Array.from(data, (v) => (v === LOST ? Number.NaN : v / (LOST - 1)));
  return { classes, height, width, values };
}

/** Reads the trait; null while there is none. Throws DecodeError on what does not add up. */
export function readSlice(value: unknown): Slice | null {
  const raw = (value ?? {}) as Record<string, unknown>;
  if (!raw.field) return null;
  const classes = (raw.classes as number[]) ?? [];
  const points = raw.points as Record<string, unknown>;
  const list = (name: string) => decodeArray(points[name]).data;
  return {
    x: raw.x as Axis,
    y: raw.y as Axis,
    field: fieldOf(raw.field, classes),
    control: raw.control ? fieldOf(raw.control, classes) : null,
    reach: decodeAs(raw.reach, "float32").data,
    points: {
      x: list("x"),
      y: list("y"),
      rows: list("rows"),
      told: list("told"),
      true: points.true ? list("true") : null,
      closeness: list("closeness"),
    },
    hold: raw.hold as Slice["hold"],
    held: (raw.held as [string, string][]) ?? [],
    roughness: (raw.roughness as Roughness | null) ?? null,
    unmeasured: String(raw.unmeasured ?? ""),
  };
}

/** Where a value lies on an axis, 0 to 1. Values of a discrete axis sit in the middle of bands. */
export function placeOn(axis: Axis, value: number): number {
  const at = cellOf(axis, value);
  const last = axis.values.length - 1;
  return axis.discrete ? (at + 0.5) / (last + 1) : at / last;
}

/** The cell, with its fraction, of a value; beyond the ends it goes on. */
function cellOf(axis: Axis, value: number): number {
  const { values } = axis;
  const last = values.length - 1;
  if (!axis.discrete && axis.kind !== "integer") {
    const [low, high] = [values[0] as number, values[last] as number];
    return ((value - low) / (high - low)) * last;
  }
  let i = 0;
  while (i < last - 1 && value >= (values[i + 1] as number)) i++;
  const [low, high] = [values[i] as number, values[i + 1] as number];
  return i + (value - low) / (high - low);
}

/** The cell at a place of the axis, 0 to 1: whole on a discrete axis. */
export function cellAt(axis: Axis, place: number): number {
  const n = axis.values.length;
  const at = axis.discrete ? Math.floor(place * n) : place * (n - 1);
  return Math.min(n - 1, Math.max(0, at));
}

/** The value at a place of the axis. */
export function valueAt(axis: Axis, place: number): number {
  const at = cellAt(axis, place);
  const i = Math.min(axis.values.length - 2, Math.floor(at));
  const [low, high] = [axis.values[i] as number, axis.values[i + 1] as number];
  const value = low + (high - low) * (at - i);
  return axis.kind === "continuous" ? value : Math.round(value);
}

/** Whole or round values to label, about `most` of them. */
export function ticksOn(axis: Axis, most: number): number[] {
  const { values } = axis;
  if (axis.discrete && values.length <= most) return values;
  const [low, high] = [values[0] as number, values[values.length - 1] as number];
  const raw = (high - low) / Math.max(1, most);
  const unit = 10 ** Math.floor(Math.log10(raw));
  let stride = ([1, 2, 5, 10].find((m) => m * unit >= raw) ?? 10) * unit;
  if (axis.kind !== "continuous") stride = Math.max(1, Math.round(stride));
  const out: number[] = [];
  for (let k = Math.ceil(low / stride); k * stride <= high * (1 + 1e-12); k++) out.push(k * stride);
  return out;
}

/** Labels of ticks, all with as many decimals as tell them apart. */
export function tickTexts(values: readonly number[]): string[] {
  const gaps = values.slice(1).map((value, i) => Math.abs(value - (values[i] as number)));
  const gap = Math.min(...gaps);
  const most = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(gap) || gap < 1e-4 || most >= 1e6) return values.map((v) => number(v));
  const decimals = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  return values.map((v) => (v < 0 ? "−" : "") + Math.abs(v).toFixed(decimals));
}

/** Probabilities at a place, in the order of the field's classes. */
export function probabilitiesAt(slice: Slice, px: number, py: number): Float32Array {
  const { field, x, y } = slice;
  const [c, r] = [cellAt(x, px), cellAt(y, py)];
  return new Float32Array(field.classes.length).map((_, k) =>
    between(field.values, k * field.height * field.width, field.width, field.height, c, r),
  );
}

export function reachAt(slice: Slice, px: number, py: number): number {
  const { field, x, y } = slice;
  const [c, r] = [cellAt(x, px), cellAt(y, py)];
  return between(slice.reach, 0, field.width, field.height, c, r);
}

/** A value between four cells of a grid. */
export function between(
  values: Float32Array,
  start: number,
  width: number,
  height: number,
  column: number,
  row: number,
): number {
  const c = Math.min(width - 2, Math.floor(column));
  const r = Math.min(height - 2, Math.floor(row));
  const [fc, fr] = [column - c, row - r];
  const at = start + r * width + c;
  const v = (i: number) => values[i] as number;
  // A weight of 0 must not let a NaN through.
  const mix = (a: number, b: number, f: number) => (f === 0 ? a : f === 1 ? b : a + (b - a) * f);
  return mix(mix(v(at), v(at + 1), fc), mix(v(at + width), v(at + width + 1), fc), fr);
}
