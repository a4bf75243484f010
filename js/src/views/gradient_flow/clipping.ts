import { type History, median, type Node } from "../../layers";
import { count, percent } from "../../ui";

/** Less than this share of a change is rounding, not clipping. */
const ROUNDING = 1e-4;

/** log10 of a row's norm before clipping at one sample, where clipping made it smaller; else NaN. */
export function rawLog(history: History, node: Node, sample: number): number {
  const values: number[] = [];
  let clipped = false;
  for (const layer of node.layers) {
    const at = sample * history.layers + layer;
    const raw = history.raw[at] as number;
    const norm = history.norms[at] as number;
    if (!(raw > 0) || !Number.isFinite(raw) || Number.isNaN(norm)) continue;
    clipped ||= norm < raw * (1 - ROUNDING);
    values.push(Math.log10(raw));
  }
  return clipped ? median(values) : Number.NaN;
}

/** The largest log10 of a norm before clipping, NaN for none: the axis must hold it. */
export function rawTop(history: History, sample: number): number {
  let top = Number.NaN;
  for (let layer = 0; layer < history.layers; layer++) {
    const raw = history.raw[sample * history.layers + layer] as number;
    if (raw > 0 && Number.isFinite(raw) && !(Math.log10(raw) <= top)) top = Math.log10(raw);
  }
  return top;
}

/** For the foot: at how many of the samples clipping was active. */
export function clippingText({ seen, clipped }: { seen: number; clipped: number }): string | false {
  if (seen === 0) return false;
  if (clipped === 0) return "no clipping at any sample";
  return `clipping active at ${count(clipped)} of ${count(seen)} samples (${percent(clipped / seen, 2)})`;
}
