/** In which order the classes stand along both axes of the matrix. */

import type { Confusion } from "./confusion";

export type Ordering = "label" | "errors" | "confusion";

export function orderClasses(matrix: Confusion, ordering: Ordering): number[] {
  if (ordering === "errors") return byErrors(matrix);
  if (ordering === "confusion") return byConfusion(matrix);
  return labels(matrix.size);
}

function labels(size: number): number[] {
  return Array.from({ length: size }, (_, i) => i);
}

/** Classes most often missed first; ties keep the order of the labels. */
function byErrors(matrix: Confusion): number[] {
  return labels(matrix.size).sort((a, b) => matrix.rowErrors(b) - matrix.rowErrors(a) || a - b);
}

/** How much two classes are taken for one another, both ways, each as a share of its row. */
function affinity(matrix: Confusion): (a: number, b: number) => number {
  const share = (t: number, p: number): number => {
    const n = matrix.count([t, p]);
    return n === 0 ? 0 : n / matrix.rowTotal(t);
  };
  return (a, b) => share(a, b) + share(b, a);
}

/**
 * Classes that are taken for one another become neighbours: average-linkage clustering, where
 * two groups are joined at their most alike ends. Groups with most errors come first, classes
 * that are confused with none last, in label order.
 */
function byConfusion(matrix: Confusion): number[] {
  const size = matrix.size;
  const alike = affinity(matrix);
  const linkage = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) if (a !== b) linkage[a * size + b] = alike(a, b);
  }
  const at = (a: number, b: number): number => linkage[a * size + b] ?? 0;
  const groups = new Map<number, number[]>(labels(size).map((i) => [i, [i]]));
  const nearest = new Int32Array(size);
  const findNearest = (a: number): void => {
    let best = -1;
    for (const b of groups.keys()) {
      if (b !== a && at(a, b) > 0 && (best < 0 || at(a, b) > at(a, best))) best = b;
    }
    nearest[a] = best;
  };
  for (const a of groups.keys()) findNearest(a);
  for (;;) {
    let first = -1;
    for (const a of groups.keys()) {
      const b = nearest[a] ?? -1;
      if (b >= 0 && (first < 0 || at(a, b) > at(first, nearest[first] ?? -1))) first = a;
    }
    if (first < 0) break;
    const second = nearest[first] ?? -1;
    const left = groups.get(first) ?? [];
    const right = groups.get(second) ?? [];
    for (const other of groups.keys()) {
      if (other === first || other === second) continue;
      const mean =
        (left.length * at(first, other) + right.length * at(second, other)) /
        (left.length + right.length);
      linkage[first * size + other] = mean;
      linkage[other * size + first] = mean;
    }
    groups.set(first, joinAtEnds(left, right, alike));
    groups.delete(second);
    for (const a of groups.keys()) {
      const b = nearest[a] ?? -1;
      if (a === first || b === first || b === second) findNearest(a);
    }
  }
  const errors = (group: number[]): number =>
    group.reduce((sum, t) => sum + matrix.rowErrors(t), 0);
  const clusters = [...groups.values()].filter((group) => group.length > 1);
  const alone = [...groups.values()].filter((group) => group.length === 1).flat();
  clusters.sort((a, b) => errors(b) - errors(a) || Math.min(...a) - Math.min(...b));
  return [...clusters.flat(), ...alone.sort((a, b) => a - b)];
}

/** Of the four ways to lay two chains end to end, the one whose touching ends are most alike. */
function joinAtEnds(
  left: number[],
  right: number[],
  alike: (a: number, b: number) => number,
): number[] {
  const flip = (chain: number[]): number[] => [...chain].reverse();
  const ways: [number[], number[]][] = [
    [left, right],
    [left, flip(right)],
    [flip(left), right],
    [flip(left), flip(right)],
  ];
  let best: number[] = [];
  let most = -1;
  for (const [head, tail] of ways) {
    const touch = alike(head[head.length - 1] ?? 0, tail[0] ?? 0);
    if (touch > most) {
      most = touch;
      best = [...head, ...tail];
    }
  }
  return best;
}
