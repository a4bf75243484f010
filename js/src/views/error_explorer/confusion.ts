/** The confusion matrix as numbers: counts, shares of a row, where the errors are, what changed. */

import { type Cell, NOT_FINITE } from "./types";

export interface Confusion {
  /** Number of classes. */
  size: number;
  count(cell: Cell): number;
  /** Samples whose true class this is, those with a non-finite output included. */
  rowTotal(t: number): number;
  /** Count divided by its row's total; NaN for a class without samples. */
  share(cell: Cell): number;
  /** Misclassified samples of a true class, non-finite outputs included. */
  rowErrors(t: number): number;
  /** Times a class was predicted in error. */
  columnErrors(p: number): number;
  total: number;
  errors: number;
  hasNonfinite: boolean;
  /** Largest count, and largest share, off the diagonal. */
  largestError: number;
  largestErrorShare: number;
  /** Flat indices t * size + p of what holds samples or changed, fewest samples first. */
  filled: Int32Array;
  /** Count less that of the baseline; null where there is none. */
  change: ((cell: Cell) => number) | null;
  /** Largest change, up or down. */
  largestChange: number;
}

export interface RankedError {
  cell: Cell;
  count: number;
  share: number;
}

export function confusion(
  counts: ArrayLike<number>,
  size: number,
  nonfinite: ArrayLike<number> = [],
  changes: ArrayLike<number> | null = null,
): Confusion {
  for (const given of [counts, changes]) {
    if (given && given.length !== size * size) {
      throw new Error(
        `The confusion matrix holds ${given.length} numbers; ${size} classes need ${size * size}.`,
      );
    }
  }
  const rowTotals = new Float64Array(size);
  const rowErrors = new Float64Array(size);
  const columnErrors = new Float64Array(size);
  const lost = (t: number): number => nonfinite[t] ?? 0;
  const at = (t: number, p: number): number => counts[t * size + p] ?? 0;
  const filled: number[] = [];
  let [total, errors, lostTotal] = [0, 0, 0];
  let [largestError, largestErrorShare, largestChange] = [0, 0, 0];
  for (let t = 0; t < size; t++) {
    let sum = lost(t);
    let most = lost(t);
    for (let p = 0; p < size; p++) {
      const n = at(t, p);
      const moved = changes ? (changes[t * size + p] ?? 0) : 0;
      if (n === 0 && moved === 0) continue;
      filled.push(t * size + p);
      largestChange = Math.max(largestChange, Math.abs(moved));
      sum += n;
      if (p === t) continue;
      columnErrors[p] = (columnErrors[p] ?? 0) + n;
      most = Math.max(most, n);
    }
    const wrong = sum - at(t, t);
    rowTotals[t] = sum;
    rowErrors[t] = wrong;
    total += sum;
    errors += wrong;
    lostTotal += lost(t);
    largestError = Math.max(largestError, most);
    if (sum > 0) largestErrorShare = Math.max(largestErrorShare, most / sum);
  }
  const count = ([t, p]: Cell): number => (p === NOT_FINITE ? lost(t) : at(t, p));
  return {
    size,
    count,
    share: (cell) => count(cell) / (rowTotals[cell[0]] ?? 0),
    rowTotal: (t) => rowTotals[t] ?? 0,
    rowErrors: (t) => rowErrors[t] ?? 0,
    columnErrors: (p) => columnErrors[p] ?? 0,
    total,
    errors,
    hasNonfinite: lostTotal > 0,
    largestError,
    largestErrorShare,
    filled: Int32Array.from(filled).sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0)),
    change: changes && (([t, p]) => (p === NOT_FINITE ? 0 : (changes[t * size + p] ?? 0))),
    largestChange,
  };
}

/** Off-diagonal cells, most samples first; ties by share of the row, then label order. */
export function rankErrors(matrix: Confusion, limit = Infinity): RankedError[] {
  return ranked(matrix, limit, (one) => (one.cell[0] === one.cell[1] ? 0 : one.count));
}

/** All cells, most changed first. */
export function rankChanges(matrix: Confusion, limit = Infinity): RankedError[] {
  return ranked(matrix, limit, (one) => Math.abs(matrix.change?.(one.cell) ?? 0));
}

function ranked(
  matrix: Confusion,
  limit: number,
  weigh: (one: RankedError) => number,
): RankedError[] {
  const found: (RankedError & { weight: number })[] = [];
  const add = (cell: Cell): void => {
    const one = { cell, count: matrix.count(cell), share: matrix.share(cell) };
    const weight = weigh(one);
    if (weight > 0) found.push({ ...one, weight });
  };
  for (const at of matrix.filled) add([Math.floor(at / matrix.size), at % matrix.size]);
  if (matrix.hasNonfinite) for (let t = 0; t < matrix.size; t++) add([t, NOT_FINITE]);
  found.sort(
    (a, b) =>
      b.weight - a.weight || b.share - a.share || a.cell[0] - b.cell[0] || a.cell[1] - b.cell[1],
  );
  return found.slice(0, limit).map(({ cell, count, share }) => ({ cell, count, share }));
}

/** Worse than the baseline (above 0) or better (below 0), in samples. */
export function worsening(matrix: Confusion, cell: Cell): number {
  const moved = matrix.change?.(cell) ?? 0;
  return cell[0] === cell[1] ? -moved : moved;
}
