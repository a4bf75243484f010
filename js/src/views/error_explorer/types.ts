/** What crosses to this view, as it arrives from the kernel. */

import type { Reply } from "../../wire";

/** A request to the kernel: exactly one reply, or a rejection that says why not. */
export type Ask = <R>(name: string, args?: Record<string, unknown>) => Promise<Reply<R>>;

export type SampleId = number | string;

/** [true class, predicted class]; predicted -1 is the column of outputs that were not finite. */
export type Cell = readonly [number, number];

export const NOT_FINITE = -1;

export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface Info {
  title: string;
  source: string;
  samples: number;
  classes: string[];
  accuracy: Interval | null;
  output: string;
  /** Samples whose output was not finite: all, and by true class. */
  nonfinite: number;
  nonfinite_by_class: number[];
  pictures: { kind: "image" | "none"; reason?: string; note?: string };
  overlay: { available: boolean; layer?: string; reason?: string };
}

export interface Sample {
  id: SampleId;
  true: number;
  pred: number;
  /** Probabilities; NaN or null where the output was not finite. */
  p_true: number | null;
  p_pred: number | null;
  top: [number, number][];
}

export interface PictureRef {
  buffer: number;
  mime: string;
  width: number;
  height: number;
}

export interface PageResult {
  cell: [number, number];
  total: number;
  offset: number;
  samples: Sample[];
  images: (PictureRef | null)[];
}

export type Target = "predicted" | "true";
export type Scale = "shared" | "own";

/** One class activation map: raw values after ReLU, and the largest of them. */
export interface Cam {
  width: number;
  height: number;
  values: Float32Array;
  peak: number;
}

export function sameCell(a: Cell | null, b: Cell | null): boolean {
  return a === b || (a !== null && b !== null && a[0] === b[0] && a[1] === b[1]);
}

/** Ids 7 and "7" are two samples: the key keeps the type. */
export function idKey(id: SampleId): string {
  return `${typeof id === "number" ? "n" : "s"}:${id}`;
}
