import { describe, expect, it } from "vitest";
import { readLive, runFoot, stepTicks, wordOf } from "../../src/run";

describe("stepTicks", () => {
  it("takes round steps, and as many as fit", () => {
    expect(stepTicks(1, 400, 4)).toEqual([100, 200, 300, 400]);
    expect(stepTicks(1, 4, 8)).toEqual([1, 2, 3, 4]);
    expect(stepTicks(7, 7, 5)).toEqual([7]);
  });
});

describe("readLive", () => {
  it("reads what the kernel sends", () => {
    const sent = {
      state: "paused",
      step: 12,
      samples: 6,
      every: 2,
      stride: 2,
      probe_share: 0.01,
      budget: 0.03,
      thinned: 1,
      controllable: false,
    };
    expect(readLive(sent)).toEqual(sent);
  });

  it("makes do with nothing", () => {
    expect(readLive(null)).toMatchObject({ state: "waiting", step: 0, every: 1 });
    expect(readLive({ state: "odd", every: "auto" })).toMatchObject({
      state: "waiting",
      every: "auto",
    });
  });
});

describe("runFoot", () => {
  const live = readLive({ step: 400, samples: 100, every: "auto", stride: 4, probe_share: 0.0123 });

  it("says what the picture rests on and what watching cost", () => {
    const items = runFoot({ ...live, budget: 0.03, thinned: 2 }, "3 layers");
    expect(items.filter(Boolean)).toEqual([
      "400 steps",
      "100 samples, one every 4 steps",
      "older samples thinned out",
      "3 layers",
      "1.2 % of the training time spent in probes (budget 3.0 %)",
    ]);
  });

  it("names no budget where a stride was chosen, and no cost before the first sample", () => {
    expect(runFoot({ ...live, every: 4, budget: 0.03 }).at(-1)).toBe(
      "1.2 % of the training time spent in probes",
    );
    expect(runFoot({ ...live, samples: 0, stride: 1 }).filter(Boolean)).toEqual([
      "400 steps",
      "0 samples",
    ]);
  });
});

describe("wordOf", () => {
  it("speaks plainly", () => {
    expect(wordOf("loss.plateau_early")).toBe("early plateau");
    expect(wordOf("loss.nonfinite")).toBe("NaN or infinite");
    expect(wordOf("loss.new_one")).toBe("new one");
  });
});
