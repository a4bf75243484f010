/** What a layer's number stands for. 0 to 4 come from the kernel; the rest is worked out here. */
export const OK = 0;
export const NONE = 1;
export const FROZEN = 2;
export const NAN = 3;
export const INF = 4;
/** The norm is exactly zero: it has no place on a log axis. */
export const ZERO = 5;
/** Relative to weights whose norm is zero. */
export const UNDEFINED = 6;
/** Nobody looked: this number was not recorded at that sample. */
export const UNKNOWN = 7;

export interface StatusWords {
  /** In the number column. */
  mark: string;
  /** Beside its pattern, in the legend and in the tooltip. */
  text: string;
  bad: boolean;
}

export const STATUS: Record<number, StatusWords> = {
  [OK]: { mark: "", text: "", bad: false },
  [NONE]: { mark: "–", text: "no gradient", bad: false },
  [FROZEN]: { mark: "–", text: "frozen", bad: false },
  [NAN]: { mark: "NaN", text: "NaN", bad: true },
  [INF]: { mark: "∞", text: "infinite", bad: true },
  [ZERO]: { mark: "0", text: "exactly zero", bad: false },
  [UNDEFINED]: { mark: "–", text: "weights are zero", bad: false },
  [UNKNOWN]: { mark: "–", text: "not recorded", bad: false },
};

/** How much one status hides another where several fall together: a bad one is never lost. */
const RANK = [3, 1, 0, 6, 5, 2, 1.5, -1];

export function worse(a: number, b: number): number {
  return (RANK[b] ?? 0) > (RANK[a] ?? 0) ? b : a;
}
