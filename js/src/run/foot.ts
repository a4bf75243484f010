import { count, percent, plural } from "../ui";
import type { Live } from "./live";

type Item = string | null | false;

/** What every picture of a run rests on, for the foot line: steps, samples, what watching cost. */
export function runFoot(live: Live, ...more: Item[]): Item[] {
  return [
    plural(live.step, "step"),
    `${plural(live.samples, "sample")}${live.stride > 1 ? `, one every ${count(live.stride)} steps` : ""}`,
    live.thinned > 0 && `one sample in ${count(2 ** live.thinned)} kept`,
    ...more,
    probeCost(live),
  ];
}

/** What watching took of the training time, and how much of it "auto" may take once it has begun. */
export function probeCost(live: Live): Item {
  if (!Number.isFinite(live.probe_share) || live.samples === 0) return null;
  const cost = `${percent(live.probe_share, 2)} of the training time spent in probes`;
  if (live.every !== "auto" || !Number.isFinite(live.budget)) return cost;
  const budget = percent(live.budget, 2);
  return live.starting
    ? `${cost} in the first steps, most of which are looked at (budget later: ${budget})`
    : `${cost} after the first steps (budget ${budget})`;
}
