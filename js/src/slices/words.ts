import { percent } from "../ui";

/** A share in per cent, a tenth of a point where that says something: "8.2 %", "45.3 %". */
export function share(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value > 0 && value < 0.0005) return percent(value, 1);
  return `${(100 * value).toFixed(digits)} %`;
}

/** "25.8 to 32.0 %": an interval. */
export function between(low: number, high: number): string {
  return `${(100 * low).toFixed(1)} to ${share(high)}`;
}
