/** What crosses to this view, as it arrives from the kernel. */

import type { Reply } from "../../wire";

/** A request to the kernel: exactly one reply, or a rejection that says why not. */
export type Ask = <R>(name: string, args?: Record<string, unknown>) => Promise<Reply<R>>;

export type SampleId = number | string;

/** [true class, predicted class]; predicted -1 is the column of outputs that were not finite. */
export type Cell = readonly [number, number];

export const NOT_FINITE = -1;

/** What the gallery shows: a cell, or a list by its key. */
export type Place = Cell | string;

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
  output: string;
  /** Samples whose output was not finite. */
  nonfinite: number;
  /** Whether there is metadata to filter by. */
  metadata: boolean;
  /** What the comparison with another model says, where there is one. */
  baseline: { sentence: string; numbers: string } | null;
  pictures: { kind: "image" | "tabular" | "text" | "none"; reason?: string; note?: string };
  overlay: { available: boolean; layer?: string; reason?: string };
  /** By what errors are grouped, in words; "" where they cannot be. */
  clusters: string;
}

/** What the filter lets through. */
export interface Counted {
  samples: number;
  accuracy: Interval | null;
  nonfinite_by_class: number[];
}

/** Samples that belong together although they lie in several cells. */
export interface SampleList {
  key: string;
  title: string;
  /** Why to look at it, in one sentence. */
  text: string;
  /** The order of its own, in words; "" where any order is as good. */
  order: string;
  group: string;
  count: number;
}

/** A column of the metadata cut into values, with samples and errors of each. */
export interface Facet {
  name: string;
  labels: string[];
  counts: number[];
  errors: number[];
  /** Values that are not listed. */
  more: number;
}

/** Column -> the values that are kept. */
export type Filter = Record<string, string[]>;

export interface Sample {
  /** Position in the predictions. */
  row: number;
  id: SampleId;
  true: number;
  pred: number;
  /** Probabilities; NaN or null where the output was not finite. */
  p_true: number | null;
  p_pred: number | null;
  /** Cross-entropy in nats; null where the output was not finite. */
  loss?: number | null;
  /** The class that the label should perhaps be. */
  suggested?: number | null;
  top: [number, number][];
}

export interface PictureRef {
  buffer: number;
  mime: string;
  width: number;
  height: number;
}

export interface PageResult {
  place: Place;
  order: string;
  total: number;
  offset: number;
  samples: Sample[];
  shown: ShownReply[];
}

/** Name, value, and its place in the data from 0 (lowest) to 1 (highest), where that is known. */
export type FeatureRow = [name: string, value: string, place: number | null];

/** A sample as a person can look at it: one of these. */
export interface Shown {
  table?: FeatureRow[];
  /** Features of the table that are not listed. */
  more?: number;
  text?: string;
  /** Why there is nothing to see. */
  failed?: string;
}

export interface ShownReply extends Shown {
  image?: PictureRef;
}

export type Target = "predicted" | "true";
export type Scale = "shared" | "own";

/** One class activation map: raw values after ReLU, and the largest of them. */
export interface Cam {
  width: number;
  height: number;
  values: Float32Array;
  peak: number;
  /** Share of the evidence on the object, and of the picture that it covers, where that is known. */
  object?: { share: number; area: number };
}

export function sameCell(a: Cell | null, b: Cell | null): boolean {
  return a === b || (a !== null && b !== null && a[0] === b[0] && a[1] === b[1]);
}

export function isCell(place: Place | null): place is Cell {
  return Array.isArray(place);
}

export function placeKey(place: Place | null): string {
  return place === null ? "" : isCell(place) ? place.join(",") : place;
}

/** Ids 7 and "7" are two samples: the key keeps the type. */
export function idKey(id: SampleId): string {
  return `${typeof id === "number" ? "n" : "s"}:${id}`;
}
