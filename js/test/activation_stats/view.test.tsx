import { describe, expect, it } from "vitest";
import { append, info, type Made, snapshot, units } from "../../dev/activation_data";
import widget from "../../src/views/activation_stats";
import { live, usePage } from "../layers/harness";

const made: Made[] = [
  { name: "fc.relu", kind: "ReLU", units: 64, off: 12 },
  { name: "conv.relu", kind: "ReLU", units: 16, off: 0 },
  { name: "gate", kind: "Tanh", units: 8, off: 5, bounded: true },
];
const about = (activations: readonly Made[], notes: string[] = []) => ({
  title: "Activations",
  source: "Net",
  layers: info(activations),
  notes,
});
const page = usePage();
const words = (name: string) => page().row(name)?.querySelector(".as-words")?.textContent;

describe("ActivationStats", () => {
  it("waits in words, and says why nothing was seen", async () => {
    await page().show(widget, { info: about([]), live: live("waiting", 0), snapshot: null });
    expect(page().root.dataset).toMatchObject({ view: "activation_stats", state: "waiting" });
    expect(page().root.textContent).toContain("Waiting for the first optimizer.step()");
    page().model.put("info", about([], ["act gave no tensor."]));
    page().model.put("live", live("live", 7));
    await page().settle();
    expect(page().root.textContent).toContain("No activation was seen");
    expect(page().root.textContent).toContain("act gave no tensor.");
  });

  it("counts dead and stuck units, and never calls a bounded one dead", async () => {
    const snap = snapshot(made, 20);
    await page().show(widget, { info: about(made), live: live("done", 100), snapshot: snap });
    expect(words("fc.relu")).toContain("12 dead");
    expect(words("conv.relu")).toContain("0 dead");
    expect(words("gate")).toContain("5 stuck");
    const legend = page().root.querySelector("[aria-label=Legend]")?.textContent;
    expect(legend).toContain("never active (above zero) in any input seen");
    expect(legend).toContain("at an end for 90 %");
    expect(legend).not.toContain("fell silent");
  });

  it("follows the stream", async () => {
    await page().show(widget, {
      info: about(made),
      live: live("live", 5),
      snapshot: snapshot(made, 2),
    });
    expect(page().root.dataset.samples).toBe("2");
    page().model.message(...append(made, 2, 4, 1, { live: live("live", 16) }));
    await page().settle();
    expect(page().root.dataset).toMatchObject({ samples: "4", newest: "16", live: "true" });
    page().model.message(...append(made, 2, 4, 1)); // what a snapshot has brought already
    await page().settle();
    expect(page().root.dataset.samples).toBe("4");
  });

  it("asks for the history when a part is missing", async () => {
    const snap = snapshot(made, 2);
    await page().show(widget, { info: about(made), live: live("live", 5), snapshot: snap });
    page().model.message(...append(made, 6, 8, 3));
    expect(page().asked("snapshot")).toHaveLength(1);
    const [content, buffers] = append(made, 0, 8, 3);
    page().model.reply({ ...content, start: 0 }, [...buffers]);
    await page().settle();
    expect(page().root.dataset.samples).toBe("8");
    page().model.message(...append(made, 8, 9, 4));
    await page().settle();
    expect(page().root.dataset.samples).toBe("9");
  });

  it("starts anew when the activations have changed", async () => {
    const one = made.slice(0, 1);
    await page().show(widget, {
      info: about(one),
      live: live("live", 5),
      snapshot: snapshot(one, 6),
    });
    page().model.put("info", about(made));
    const [content, buffers] = append(made, 0, 7, 9, { live: live("live", 31) });
    page().model.message({ ...content, start: 0 }, [...buffers]);
    await page().settle();
    expect(page().root.dataset.samples).toBe("7");
    expect(words("gate")).toContain("5 stuck");
  });

  it("opens the units of a row, in words and as a map, and closes them again", async () => {
    const snap = snapshot(made, 20);
    await page().show(widget, { info: about(made), live: live("done", 100), snapshot: snap });
    await page().press("ArrowDown");
    expect(page().asked("units")).toEqual([{ track: 0 }]);
    expect(page().root.textContent).toContain("dead: 12 of 64 units never active in 640 inputs");
    expect(page().root.textContent).toContain("Asking for its units");
    page().model.reply(...units(made[0] as Made, 20), "units");
    await page().settle();
    const map = page().root.querySelector<HTMLElement>(".as-map");
    expect(map?.dataset.units).toBe("64");
    expect(page().root.textContent).toContain("Hatched, with a wide mark at the left: dead.");
    await page().choose("By unit number");
    await page().press("Escape");
    expect(page().root.querySelector(".as-map")).toBeNull();
  });

  it("shows a refusal in the place of the map", async () => {
    const snap = snapshot(made, 20);
    await page().show(widget, { info: about(made), live: live("done", 100), snapshot: snap });
    await page().press("ArrowDown");
    page().model.refuse("ValueError: no activation 0 of 0");
    await page().settle();
    expect(page().root.querySelector(".as-detail")?.textContent).toContain("no activation 0 of 0");
  });

  it("pages through more units than lines, and says how many share one", async () => {
    const wide: Made[] = [{ name: "wide", kind: "ReLU", units: 600, off: 30 }];
    const snap = snapshot(wide, 8);
    await page().show(widget, { info: about(wide), live: live("done", 40), snapshot: snap });
    await page().press("ArrowDown");
    page().model.reply(...units(wide[0] as Made, 8), "units");
    await page().settle();
    const map = () => page().root.querySelector<HTMLElement>(".as-map")?.dataset;
    expect(map()).toMatchObject({ units: "600", lines: "240" });
    expect(page().root.textContent).toContain("3 units to a line, averaged");
    await page().select(".as-map-controls", "2");
    expect(map()).toMatchObject({ units: "88", lines: "88" });
    expect(page().root.textContent).not.toContain("to a line");
  });

  it("marks NaN in the row and in the legend", async () => {
    const broken: Made[] = [{ name: "a", kind: "ReLU", units: 4, off: 0, nanFrom: 3 }];
    const snap = snapshot(broken, 6);
    await page().show(widget, { info: about(broken), live: live("done", 30), snapshot: snap });
    expect(page().row("a")?.dataset.status).toBe("NaN");
    expect(page().root.querySelector("[aria-label=Legend]")?.textContent).toContain("NaN");
    await page().press("Home");
    expect(page().row("a")?.dataset.status).toBe("ok");
  });
});
