/** The confusion matrix as numbers: counts, shares of a row, where the errors are. */

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
): Confusion {
  if (counts.length !== size * size) {
    throw new Error(
      `The confusion matrix holds ${counts.length} numbers; ${size} classes need ${size * size}.`,
    );
  }
  const rowTotals = new Float64Array(size);
  const rowErrors = new Float64Array(size);
  const columnErrors = new Float64Array(size);
  const lost = (t: number): number => nonfinite[t] ?? 0;
  let total = 0;
  let errors = 0;
  let lostTotal = 0;
  for (let t = 0; t < size; t++) {
    let sum = lost(t);
    for (let p = 0; p < size; p++) {
      const n = counts[t * size + p] ?? 0;
      sum += n;
      if (p !== t) columnErrors[p] = (columnErrors[p] ?? 0) + n;
    }
    const wrong = sum - (counts[t * size + t] ?? 0);
    rowTotals[t] = sum;
    rowErrors[t] = wrong;
    total += sum;
    errors += wrong;
    lostTotal += lost(t);
  }
  const count = ([t, p]: Cell): number =>
    p === NOT_FINITE ? lost(t) : (counts[t * size + p] ?? 0);
  const share = (cell: Cell): number => count(cell) / (rowTotals[cell[0]] ?? 0);
  let largestError = 0;
  let largestErrorShare = 0;
  for (let t = 0; t < size; t++) {
    for (let p = NOT_FINITE; p < size; p++) {
      if (p === t) continue;
      const n = count([t, p]);
      if (n === 0) continue;
      largestError = Math.max(largestError, n);
      largestErrorShare = Math.max(largestErrorShare, share([t, p]));
    }
  }
  return {
    size,
    count,
    share,
    rowTotal: (t) => rowTotals[t] ?? 0,
    rowErrors: (t) => rowErrors[t] ?? 0,
    columnErrors: (p) => columnErrors[p] ?? 0,
    total,
    errors,
    hasNonfinite: lostTotal > 0,
    largestError,
    largestErrorShare,
  };
}

/** Off-diagonal cells, most samples first; ties by share of the row, then label order. */
export function rankErrors(matrix: Confusion, limit = Infinity): RankedError[] {
  const found: RankedError[] = [];
  for (let t = 0; t < matrix.size; t++) {
    for (let p = NOT_FINITE; p < matrix.size; p++) {
      if (p === t) continue;
      const cell: Cell = [t, p];
      const count = matrix.count(cell);
      if (count > 0) found.push({ cell, count, share: matrix.share(cell) });
    }
  }
  found.sort(
    (a, b) =>
      b.count - a.count || b.share - a.share || a.cell[0] - b.cell[0] || a.cell[1] - b.cell[1],
  );
  return found.slice(0, limit);
}
