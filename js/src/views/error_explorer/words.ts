/** The sentences of the explorer. Class names are quoted: they may be any text. */

import { count, plural, shorten } from "../../ui";
import type { Confusion } from "./confusion";
import { type Cell, NOT_FINITE } from "./types";

export function quote(name: string, max = 40): string {
  return `“${shorten(name, max)}”`;
}

/** A share to a tenth of a percent, so that figures below one another line up. */
export function share(value: number | null | undefined, unit = true): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "not finite";
  const percent = 100 * value;
  const end = unit ? " %" : "";
  if (percent > 0 && percent < 0.05) return `<0.1${end}`;
  // Never "100 %" where something is missing.
  if (percent < 100 && percent >= 99.95) return `>99.9${end}`;
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)}${end}`;
}

export interface CellWords {
  sentence: string;
  /** In which order the gallery shows the samples. */
  order: string;
}

export function describeCell(cell: Cell, matrix: Confusion, classes: readonly string[]): CellWords {
  const [t, p] = cell;
  const n = matrix.count(cell);
  const all = matrix.rowTotal(t);
  const truth = quote(classes[t] ?? "");
  const order = p === t ? "least confident first" : "most confidently wrong first";
  if (all === 0) return { sentence: `No sample has the true class ${truth}`, order };
  const some = n === 0 ? "None" : count(n);
  const of = `${some} of ${count(all)} true ${truth}`;
  const were = n === 1 ? "was" : "were";
  if (p === NOT_FINITE) {
    return { sentence: `${of} gave an output that is not finite`, order: "in the data's order" };
  }
  if (p === t) return { sentence: `${of} ${were} predicted correctly`, order };
  return { sentence: `${of} ${were} predicted as ${quote(classes[p] ?? "")}`, order };
}

/** For screen readers and the tooltip: "12 of 180, 6.67 % of the row". */
export function cellNumbers(cell: Cell, matrix: Confusion): string {
  const all = matrix.rowTotal(cell[0]);
  if (all === 0) return "no samples of this true class";
  const n = matrix.count(cell);
  return `${count(n)} of ${plural(all, "sample")}, ${share(matrix.share(cell))} of the row`;
}

export function cellLabel(cell: Cell, matrix: Confusion, classes: readonly string[]): string {
  const [t, p] = cell;
  const predicted = p === NOT_FINITE ? "output not finite" : `predicted ${quote(classes[p] ?? "")}`;
  return `true ${quote(classes[t] ?? "")}, ${predicted}: ${cellNumbers(cell, matrix)}`;
}
