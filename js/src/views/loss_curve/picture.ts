import {
  axisFor,
  extentOf,
  kindFor,
  type ScaleKind,
  smallestPositive,
  type ValueAxis,
} from "./axis";
import { type Cells, cellsOf, smooth, spikesOf } from "./cells";
import type { Group, Role } from "./groups";

/** A series of one picture, at the resolution of the screen. */
export interface Layer {
  name: string;
  role: Role;
  cells: Cells;
  /** So many points that single ones cannot be told apart: a band, and a smoothed line. */
  dense: boolean;
  smoothed: Float64Array;
  spikes: number[];
}

export interface Picture {
  first: number;
  last: number;
  layers: Layer[];
  axis: ValueAxis;
  /** What the picture would choose by itself. */
  usual: ScaleKind;
  signed: boolean;
}

/** More points than this are drawn as a band and a line instead of as dots. */
const SINGLE = 40;

/** Smoothing, as the share of the axis that the mean reaches to either side. */
export const REACHES = [0, 0.003, 0.006, 0.01, 0.02, 0.035, 0.06, 0.1, 0.16, 0.25];
export const USUAL_REACH = 3;

/** Everything that is drawn of a group; null while it has no points. */
export function pictureOf(
  group: Group | undefined,
  width: number,
  scale: ScaleKind | null,
  reach: number,
): Picture | null {
  if (!group || group.members.length === 0) return null;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { track } of group.members) {
    first = Math.min(first, track.steps[0] as number);
    last = Math.max(last, track.last);
  }
  if (last <= first) last = first + 1;
  const columns = Math.max(50, Math.floor(width));
  const parts = group.members.map(({ track, role }) => {
    const cells = cellsOf(track, first, last, columns);
    const dense = cells.length > SINGLE;
    return { name: track.name, role, cells, dense, spikes: dense ? spikesOf(cells) : [] };
  });
  const extent = extentOf(parts);
  const smallest = smallestPositive(parts.map(({ cells }) => cells));
  const usual = kindFor(extent);
  const axis = axisFor(extent, scale ?? usual, smallest);
  const layers = parts.map((part): Layer => {
    const share = part.dense ? (REACHES[reach] ?? 0) : 0;
    const log = axis.kind === "log";
    return { ...part, smoothed: smooth(part.cells, share * (last - first), part.spikes, log) };
  });
  return { first, last, layers, axis, usual, signed: extent.signed };
}
