import { describe, expect, it } from "vitest";
import { probeCost, readLive, runFoot, stepTicks, wordOf } from "../../src/run";

describe("stepTicks", () => {
  it("takes round steps, and as many as fit", () => {
    expect(stepTicks(1, 400, 4)).toEqual([100, 200, 300, 400]);
    expect(stepTicks(1, 4, 8)).toEqual([1, 2, 3, 4]);
    expect(stepTicks(7, 7, 5)).toEqual([7]);
  });

  it("labels the ends where there is no room for two round steps", () => {
    expect(stepTicks(1, 3000, 2)).toEqual([1, 3000]);
    expect(stepTicks(1, 1999, 2)).toEqual([1, 1999]);
    expect(stepTicks(1, 400, 2)).toEqual([200, 400]);
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
      starting: true,
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
      "one sample in 4 kept",
      "3 layers",
      "1.2 % of the training time spent in probes after the first steps (budget 3.0 %)",
    ]);
  });

  it("says while the dense start lasts that the budget does not hold yet", () => {
    expect(probeCost({ ...live, probe_share: 0.19, budget: 0.03, starting: true })).toBe(
      "19 % of the training time spent in probes in the first steps, most of which are looked at " +
        "(budget later: 3.0 %)",
    );
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
