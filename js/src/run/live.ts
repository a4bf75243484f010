/** Where a training stands, as every widget of a run gets it in its `live` trait. */

export type Every = "auto" | number;

const STATES = ["waiting", "live", "paused", "done", "failed"] as const;

export interface Live {
  state: (typeof STATES)[number];
  /** Optimizer steps so far, and how many of them were sampled. */
  step: number;
  samples: number;
  /** What was asked for, and the stride that is in force. */
  every: Every;
  stride: number;
  /** Time in probes over the rest of the training time, and how much "auto" may take. */
  probe_share: number;
  budget: number;
  /** In the dense start, which "auto" lets cost more; `probe_share` is since then once it is over. */
  starting: boolean;
  /** How often every second sample was dropped. */
  thinned: number;
  controllable: boolean;
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A finite number, or the fallback. */
export function num(value: unknown, fallback = 0): number {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}

export function readLive(value: unknown): Live {
  const live = record(value);
  return {
    state: STATES.find((state) => state === live.state) ?? "waiting",
    step: num(live.step),
    samples: num(live.samples),
    every: live.every === "auto" ? "auto" : num(live.every, 1),
    stride: num(live.stride, 1),
    probe_share: num(live.probe_share, Number.NaN),
    budget: num(live.budget, Number.NaN),
    starting: live.starting === true,
    thinned: num(live.thinned),
    controllable: live.controllable !== false,
  };
}
