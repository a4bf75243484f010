import { describe, expect, it } from "vitest";
import { histogramReply, histogramTrait } from "../../dev/histogram_data";
import { append, snapshot, train } from "../../dev/training";
import widget from "../../src/views/weight_distribution";
import { live, usePage } from "../layers/harness";

const NAMES = ["stem", "body.a", "body.b", "head"];
const info = {
  title: "Weight distribution",
  source: "Net",
  layers: NAMES.map((name) => ({
    name,
    kind: "Linear",
    size: 10,
    parameters: [`${name}.weight`, `${name}.bias`],
  })),
};
const first = (parameter: string, count = 5) => ({
  parameter,
  weight: histogramTrait(count),
  gradient: histogramTrait(count),
});
const whole = (steps: number, parameter = "stem.weight") => ({
  ...snapshot(train(steps, NAMES.length)),
  histograms: { weight: steps, gradient: steps },
  first: first(parameter),
});
const page = usePage();
const ridge = () => page().root.querySelector<HTMLElement>(".ly-ridge canvas");

describe("WeightDistribution", () => {
  it("shows the histograms that came with the snapshot, before anybody answers", async () => {
    const traits = { info, live: live("done", 30), snapshot: whole(30, "body.b.weight") };
    await page().show(widget, traits);
    expect(page().root.dataset).toMatchObject({ view: "weight_distribution", samples: "30" });
    expect(ridge()?.getAttribute("aria-label")).toContain("body.b.weight: 5 histograms");
    expect(page().row("body.b")?.getAttribute("aria-selected")).toBe("true");
    expect(page().asked("histograms")).toEqual([{ parameter: "body.b.weight", kind: "weight" }]);
  });

  it("asks for another layer, parameter or kind", async () => {
    await page().show(widget, { info, live: live("done", 30), snapshot: whole(30) });
    await page().press("End", "ArrowUp");
    await page().press("ArrowDown", "ArrowDown", "ArrowDown");
    const asked = () => page().asked("histograms").at(-1);
    expect(asked()).toEqual({ parameter: "body.b.weight", kind: "weight" });
    page().model.reply(...histogramReply(9), "histograms");
    await page().settle();
    expect(ridge()?.getAttribute("aria-label")).toContain("body.b.weight: 9 histograms");
    await page().choose("Gradients");
    expect(asked()).toEqual({ parameter: "body.b.weight", kind: "gradient" });
    await page().select(".ly-distribution", "body.b.bias");
    expect(asked()).toEqual({ parameter: "body.b.bias", kind: "gradient" });
  });

  it("keeps the last layer while a group is selected, and goes back on Escape", async () => {
    await page().show(widget, { info, live: live("done", 30), snapshot: whole(30, "head.weight") });
    await page().press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown");
    expect(page().row("body")?.getAttribute("aria-selected")).toBe("true");
    expect(page().root.querySelector(".ly-distribution b")?.textContent).toBe("stem");
    await page().press("Escape");
    expect(page().root.querySelector(".ly-distribution b")?.textContent).toBe("head");
  });

  it("asks again, at most once a second, when there are newer histograms", async () => {
    await page().show(widget, { info, live: live("live", 10), snapshot: whole(10) });
    page().model.reply(...histogramReply(5), "histograms");
    const all = train(40, NAMES.length);
    for (let step = 10; step < 20; step++) {
      const more = { live: live("live", step + 1), histograms: { weight: step, gradient: step } };
      page().model.message(...append(all, step, step + 1, more));
      await page().settle(50);
    }
    expect(page().asked("histograms")).toHaveLength(1);
    await page().settle(1100);
    expect(page().asked("histograms")).toHaveLength(2);
    expect(ridge()).not.toBeNull();
  });

  it("states where the band comes from", async () => {
    await page().show(widget, { info, live: live("done", 30), snapshot: whole(30) });
    const legend = page().root.querySelector("[aria-label=Legend]")?.textContent;
    expect(legend).toContain("10⁻⁴ to 10⁻²");
    expect(legend).toContain("rule of thumb");
    expect(page().root.querySelectorAll("[data-ratio]").length).toBe(4);
  });

  it("marks weights that are not finite", async () => {
    const all = train(10, NAMES.length);
    all.weights[9 * NAMES.length + 3] = Number.NaN;
    const snap = { ...whole(10), ...snapshot(all) };
    await page().show(widget, { info, live: live("done", 10), snapshot: snap });
    expect(page().row("head")?.dataset.status).toBe("NaN");
    expect(page().row("stem")?.dataset.status).toBe("ok");
  });

  it("shows without a kernel what was saved, and says what was not", async () => {
    await page().show(widget, { info, live: live("done", 10), snapshot: whole(10) });
    page().model.trigger("comm_live_update");
    await page().settle();
    expect(ridge()).not.toBeNull();
    await page().press("ArrowUp", "ArrowDown", "ArrowDown");
    expect(page().root.querySelector(".ly-distribution")?.textContent).toContain(
      "Its histograms are in the kernel",
    );
  });
});
