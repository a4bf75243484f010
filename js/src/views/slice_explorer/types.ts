/** What crosses to this view, as it arrives from the kernel. */

export interface Interval {
  value: number | null;
  low: number;
  high: number;
}

export interface SliceRow {
  at: number;
  title: string;
  column: string;
  /** Of a pair, the second column. */
  other: string;
  /** The group within its column. */
  label: string;
  n: number;
  errors: number;
  rate: number | null;
  low: number;
  high: number;
  /** Whether it has samples enough. */
  tested: boolean;
  /** After correction for all slices. */
  p: number | null;
  weak: boolean;
  /** The slice that explains why it is worse than the rest, or "its classes". */
  explained: string;
}

export interface Info {
  title: string;
  samples: number;
  counted: number;
  classes: string[];
  metric: { value: string; name: string };
  metrics: string[];
  overall: Interval;
  columns: { name: string; kind: string }[];
  pairs: [number, number][];
  total: number;
  tested: number;
  min_support: number;
  nonfinite: number;
  skipped: [string, string][];
}

export interface Detail {
  at: number;
  selected: number;
  rest: Interval;
  /** [true, predicted, count] */
  confusions: [number, number, number][];
  /** (C, C + 1) counts of the slice and of all others; the last column is "not finite". */
  matrix: Float64Array | null;
  others: Float64Array | null;
}

export interface PairMap {
  columns: [number, number];
  labels: [string[], string[]];
  cells: [number, number][];
  slices: SliceRow[];
}

export interface Timeline {
  column: string;
  period: string;
  labels: string[];
  at: number[];
  slices: number[];
  n: number[];
  rate: number[];
  low: number[];
  high: number[];
  shape: "step" | "trend" | "steady";
  /** Of a step the first period after it, else -1. */
  step: number;
  words: string;
}

export type Tab = "slices" | "pairs" | "time";
