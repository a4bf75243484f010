/** The sentences of the explorer. Class names are quoted: they may be any text. */

import { count, percent, plural, shorten } from "../../ui";
import type { Confusion } from "./confusion";
import { type Cell, isCell, NOT_FINITE, type Place, type SampleList } from "./types";

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

/** A change in samples: "+3", "−2", "0". */
export function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${count(value)}`;
}

/** Where the evidence of a map lies, against the object's share of the picture. */
export function objectWords({ share, area }: { share: number; area: number }): string {
  return `${percent(share, 2)} of the evidence lies on the object, which covers ${percent(area, 2)} of the picture`;
}

/** The orders that a gallery can be put in. */
export const ORDER_WORDS: Record<string, string> = {
  confidence: "most confidently wrong first",
  unsure: "least confident first",
  loss: "highest loss first",
};

export interface PlaceWords {
  sentence: string;
  /** Why to look at it; "" where the sentence says all. */
  text: string;
  /** Orders to choose from, the first one at first. */
  orders: string[];
  /** What the order "own" is, or the only one there is. */
  own: string;
}

const WRONG = ["confidence", "loss"];

export function describePlace(
  place: Place,
  matrix: Confusion,
  classes: readonly string[],
  lists: readonly SampleList[],
): PlaceWords {
  if (isCell(place)) return describeCell(place, matrix, classes);
  const [kind, number] = place.split(":");
  if (kind === "true") {
    const t = Number(number);
    const n = count(matrix.rowErrors(t));
    const sentence = `${n} of ${count(matrix.rowTotal(t))} true ${quote(classes[t] ?? "")} were not recognised`;
    return { sentence, text: "", orders: WRONG, own: "" };
  }
  const list = lists.find(({ key }) => key === place);
  if (!list) return { sentence: "This list is gone", text: "", orders: [], own: "" };
  const sentence = `${list.title}: ${plural(list.count, "sample")}`;
  // All of them are right now.
  if (list.key === "fixed") {
    return { sentence, text: list.text, orders: ["confidence"], own: ORDER_WORDS.unsure ?? "" };
  }
  return {
    sentence,
    text: list.key === "errors" ? "" : list.text,
    orders: list.order ? ["own", ...WRONG] : WRONG,
    own: list.order,
  };
}

function describeCell(cell: Cell, matrix: Confusion, classes: readonly string[]): PlaceWords {
  const [t, p] = cell;
  const n = matrix.count(cell);
  const all = matrix.rowTotal(t);
  const truth = quote(classes[t] ?? "");
  const told = (sentence: string, orders: string[], own = "") => ({
    sentence,
    text: "",
    orders,
    own,
  });
  if (all === 0) return told(`No sample has the true class ${truth}`, []);
  const some = n === 0 ? "None" : count(n);
  const of = `${some} of ${count(all)} true ${truth}`;
  const were = n === 1 ? "was" : "were";
  if (p === NOT_FINITE) {
    return told(`${of} gave an output that is not finite`, ["data"], "in the data's order");
  }
  if (p === t) {
    return told(`${of} ${were} predicted correctly`, ["confidence"], ORDER_WORDS.unsure);
  }
  return told(`${of} ${were} predicted as ${quote(classes[p] ?? "")}`, WRONG);
}

/** For screen readers and the tooltip: "12 of 180, 6.67 % of the row". */
export function cellNumbers(cell: Cell, matrix: Confusion): string {
  const all = matrix.rowTotal(cell[0]);
  if (all === 0) return "no samples of this true class";
  const n = matrix.count(cell);
  const now = `${count(n)} of ${plural(all, "sample")}, ${share(matrix.share(cell))} of the row`;
  if (!matrix.change) return now;
  const moved = matrix.change(cell);
  return moved === 0 ? `${now}, as before` : `${now}, ${signed(moved)} against the baseline`;
}

export function cellLabel(cell: Cell, matrix: Confusion, classes: readonly string[]): string {
  const [t, p] = cell;
  const predicted = p === NOT_FINITE ? "output not finite" : `predicted ${quote(classes[p] ?? "")}`;
  return `true ${quote(classes[t] ?? "")}, ${predicted}: ${cellNumbers(cell, matrix)}`;
}
