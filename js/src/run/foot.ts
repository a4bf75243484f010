import { count, percent, plural } from "../ui";
import type { Live } from "./live";

type Item = string | null | false;

/** What every picture of a run rests on, for the foot line: steps, samples, what watching cost. */
export function runFoot(live: Live, ...more: Item[]): Item[] {
  return [
    plural(live.step, "step"),
    `${plural(live.samples, "sample")}${live.stride > 1 ? `, one every ${count(live.stride)} steps` : ""}`,
    live.thinned > 0 && "older samples thinned out",
    ...more,
    probeCost(live),
  ];
}

/** What watching took of the training time, and how much of it "auto" may take. */
export function probeCost(live: Live): Item {
  if (!Number.isFinite(live.probe_share) || live.samples === 0) return null;
  const budget = live.every === "auto" && Number.isFinite(live.budget);
  return `${percent(live.probe_share, 2)} of the training time spent in probes${
    budget ? ` (budget ${percent(live.budget, 2)})` : ""
  }`;
}
