import { count, number } from "../../ui";
import type { Cells } from "./cells";

export type ScaleKind = "linear" | "log";

/** The value axis. `low` and `high` are values, or exponents of ten on a log axis. */
export interface ValueAxis {
  kind: ScaleKind;
  low: number;
  high: number;
}

/** A ratio between the greatest and the least from which a log axis is the better picture. */
const MANY_DECADES = 100;
/** Spikes up to this many times the range of the rest make the axis longer; others are cut. */
const WORTH_IT = 1.7;

interface Extent {
  low: number;
  high: number;
  /** The greatest value, spikes included. */
  top: number;
  /** Some value is zero or negative: it has no place on a log axis. */
  signed: boolean;
}

export function extentOf(all: readonly { cells: Cells; spikes: readonly number[] }[]): Extent {
  const extent: Extent = {
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
    top: Number.NEGATIVE_INFINITY,
    signed: false,
  };
  for (const { cells, spikes } of all) {
    const out = new Set(spikes);
    for (let i = 0; i < cells.length; i++) {
      const [low, high] = [cells.low[i] as number, cells.high[i] as number];
      if (Number.isNaN(low)) continue;
      if (low <= 0) extent.signed = true;
      extent.low = Math.min(extent.low, low);
      extent.top = Math.max(extent.top, high);
      extent.high = Math.max(extent.high, out.has(i) ? (cells.mean[i - 1] ?? low) : high);
    }
  }
  return extent;
}

/** A log axis where the values span many decades, else a linear one. */
export function kindFor({ low, top, signed }: Extent): ScaleKind {
  return !signed && low > 0 && top / low > MANY_DECADES ? "log" : "linear";
}

export function axisFor(extent: Extent, kind: ScaleKind, smallest: number): ValueAxis {
  if (!(extent.low <= extent.top)) return { kind, low: 0, high: 1 };
  if (kind === "log") {
    if (!(smallest > 0)) return { kind, low: -1, high: 0 };
    const [low, high] = [Math.log10(smallest), Math.log10(Math.max(extent.top, smallest))];
    const margin = Math.max(0.04 * (high - low), 0.02);
    return { kind, low: low - margin, high: high + margin };
  }
  const range = extent.high - extent.low;
  const high = extent.top <= extent.low + WORTH_IT * range ? extent.top : extent.high;
  const margin = (high - extent.low) * 0.06 || Math.abs(high) * 0.1 || 1;
  // A loss is read against zero where zero is near.
  const near = extent.low >= 0 && extent.low < 0.25 * high;
  return { kind, low: near ? 0 : extent.low - margin, high: high + margin };
}

/** Where a value lies, 0 at the bottom to 1 at the top; beyond where it lies outside. */
export function placeOn(axis: ValueAxis, value: number): number {
  const at = axis.kind === "log" ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value;
  return (at - axis.low) / (axis.high - axis.low);
}

/** Values to label: round ones, about `most` of them. */
export function ticksOn(axis: ValueAxis, most: number): number[] {
  const { low, high } = axis;
  if (axis.kind === "log" && high - low >= 2) {
    const stride = Math.max(1, Math.ceil((high - low) / most));
    const out: number[] = [];
    for (let e = Math.ceil(low / stride) * stride; e <= high; e += stride) out.push(10 ** e);
    return out;
  }
  const [from, to] = axis.kind === "log" ? [10 ** low, 10 ** high] : [low, high];
  if (axis.kind === "log") {
    const out: number[] = [];
    for (let e = Math.floor(low); e <= high; e++) {
      for (const digit of high - low < 1 ? [1, 2, 3, 5, 7] : [1, 2, 5]) out.push(digit * 10 ** e);
    }
    const inside = out.filter((value) => value >= from && value <= to);
    if (inside.length >= 2) return inside;
  }
  const raw = (to - from) / most;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const stride = ([1, 2, 5, 10].find((m) => m * unit >= raw) ?? 10) * unit;
  const out: number[] = [];
  for (let k = Math.ceil(from / stride); k * stride <= to; k++) out.push(k * stride);
  return out;
}

/** The least positive value among the cells, for a log axis; NaN when there is none. */
export function smallestPositive(all: readonly Cells[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const cells of all) {
    for (let i = 0; i < cells.length; i++) {
      for (const value of [cells.low[i] as number, cells.mean[i] as number]) {
        if (value > 0 && value < least) least = value;
      }
    }
  }
  return Number.isFinite(least) ? least : Number.NaN;
}

/** Labels of ticks on a linear axis, all with as many decimals as tell them apart. */
export function tickTexts(values: readonly number[]): string[] {
  const gaps = values.slice(1).map((value, i) => Math.abs(value - (values[i] as number)));
  const gap = Math.min(...gaps);
  const most = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(gap) || gap < 1e-4 || most >= 1e6) return values.map((v) => number(v));
  const decimals = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  return values.map(
    (v) => (v < 0 ? "−" : "") + (decimals > 0 ? Math.abs(v).toFixed(decimals) : count(Math.abs(v))),
  );
}
