import { wordOf } from "../../run";
import type { Finding } from "../../ui";

/** A finding that says where on the step axis it happened. */
export interface Place {
  finding: Finding;
  word: string;
  from: number;
  to: number;
  /** Row of its label above the plot, so that labels do not cover each other. */
  lane: number;
}

const LETTER = 6.7;
const PADDING = 34;

/** The findings that lie on an axis from `first` to `last`, `width` pixels wide. */
export function placesOf(
  findings: readonly Finding[],
  first: number,
  last: number,
  width: number,
): Place[] {
  const ends: number[] = []; // where each lane is free, pixels
  const places: Place[] = [];
  for (const finding of findings) {
    const { step, from_step, to_step } = finding.evidence;
    const start = typeof from_step === "number" ? from_step : step;
    if (typeof start !== "number") continue;
    const end = typeof to_step === "number" ? to_step : from_step === start ? last : start;
    const clamp = (value: number) => Math.min(last, Math.max(first, value));
    places.push({
      finding,
      word: wordOf(finding.code),
      from: clamp(start),
      to: clamp(end),
      lane: 0,
    });
  }
  places.sort((a, b) => a.from - b.from);
  for (const place of places) {
    const needs = labelWidth(place.word);
    const at = labelLeft(place, first, last, width);
    let lane = ends.findIndex((end) => end <= at);
    if (lane < 0) lane = ends.push(0) - 1;
    ends[lane] = at + needs;
    place.lane = lane;
  }
  return places;
}

export function labelWidth(word: string): number {
  return word.length * LETTER + PADDING;
}

/** Left edge of the label: where the finding begins, moved in where it would hang over. */
export function labelLeft(place: Place, first: number, last: number, width: number): number {
  const at = ((place.from - first) / (last - first || 1)) * width;
  return Math.max(0, Math.min(at, width - labelWidth(place.word)));
}
