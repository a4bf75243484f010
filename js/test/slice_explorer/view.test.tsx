import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { inMessage } from "../../dev/pack";
import widget from "../../src/views/slice_explorer";
import { verdict } from "../../src/views/slice_explorer/detail";
import type { Info, SliceRow } from "../../src/views/slice_explorer/types";
import type { Bytes } from "../../src/wire";

function slice(at: number, title: string, rate: number, more: Partial<SliceRow> = {}): SliceRow {
  const n = 100;
  const made = { at, title, column: "sensor", other: "", label: title, n, errors: rate * n, rate };
  const ends = { low: Math.max(0, rate - 0.05), high: Math.min(1, rate + 0.05) };
  return { ...made, ...ends, tested: true, p: 0.5, weak: false, explained: "", ...more };
}

const INFO: Info = {
  title: "Slice explorer",
  samples: 600,
  counted: 600,
  classes: ["ant", "bee"],
  metric: { value: "error", name: "error rate" },
  metrics: ["error", "recall:ant"],
  overall: { value: 0.12, low: 0.1, high: 0.14 },
  columns: [
    { name: "sensor", kind: "category" },
    { name: "night", kind: "boolean" },
    { name: "when", kind: "time" },
  ],
  pairs: [
    [0, 1],
    [0, 2],
  ],
  total: 4,
  tested: 4,
  min_support: 20,
  nonfinite: 0,
  skipped: [["file", "600 distinct values in 600 samples: it names samples"]],
};
const ROWS = [
  slice(3, "<b>cam3</b>, night", 0.4, { weak: true, other: "night" }),
  slice(1, "sensor = cam1", 0.2, { explained: "cam3, night" }),
  slice(2, "sensor = cam2", 0.1),
  slice(0, "sensor = rare", 0.5, { tested: false, n: 4 }),
];
const LINE = {
  column: "when",
  period: "month",
  labels: ["2024-01", "2024-02", "2024-05"],
  at: [0, 1, 4],
  slices: [10, 11, 12],
  n: [200, 200, 200],
  rate: [0.05, 0.06, 0.25],
  low: [0.03, 0.04, 0.2],
  high: [0.09, 0.1, 0.31],
  shape: "step",
  step: 2,
  words: "The error rate is higher from 2024-05 on: 25% after 6% before.",
};

let model: FakeModel;
let root: HTMLElement;
const gone = new AbortController();

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(200);
  });
}

async function show(traits: Record<string, unknown> = {}) {
  model = new FakeModel({
    info: INFO,
    slices: ROWS,
    timeline: LINE,
    chosen: null,
    findings: [],
    failures: [],
    ...traits,
  });
  const definition = widget();
  const el = document.createElement("div");
  document.body.append(el);
  await act(async () => {
    definition.initialize({ model, signal: gone.signal });
    definition.render({ model, el, signal: gone.signal });
  });
  await settle();
  root = el.firstElementChild as HTMLElement;
}

async function click(selector: string) {
  await act(async () => root.querySelector<HTMLElement>(selector)?.click());
  await settle();
}

async function answer(result: Record<string, unknown>, buffers: Bytes[] = []) {
  await act(async () => model.reply(result, buffers));
  await settle();
}

function detail(): [Record<string, unknown>, Bytes[]] {
  const buffers: Bytes[] = [];
  const matrix = inMessage(Float64Array.from([30, 20, 0, 20, 30, 0]), [2, 3], buffers);
  const others = inMessage(Float64Array.from([240, 10, 0, 10, 240, 0]), [2, 3], buffers);
  const rest = { value: 0.04, low: 0.03, high: 0.06 };
  return [{ selection: 100, rest, confusions: [[0, 1, 20]], matrix, others }, buffers];
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("the slices", () => {
  it("stand in their order, weak ones named, with what explains the others", async () => {
    await show();
    const rows = [...root.querySelectorAll<HTMLElement>("[data-slice]")];
    expect(rows.map((row) => row.dataset.title)).toEqual(ROWS.map((row) => row.title));
    expect(rows[0]?.textContent).toContain("weak");
    expect(rows[1]?.textContent).toContain("explained by cam3, night");
    expect(rows[3]?.textContent).toContain("too few to judge");
    expect(rows[0]?.querySelector("b b")).toBeNull(); // names are text
    expect(root.querySelector(".nbd-status")?.textContent).toBe(
      "error rate 12.0 % (10.0 to 14.0 %)",
    );
    expect(root.querySelector(".nbd-foot")?.textContent).toContain("file left out");
  });

  it("draw the share of all samples through every row", async () => {
    await show();
    const lines = [...root.querySelectorAll<HTMLElement>("i.sl-overall")];
    expect(new Set(lines.map((line) => line.style.left))).toEqual(new Set(["24.000%"]));
    expect(lines).toHaveLength(4);
  });

  it("open with a click: confusion matrix, numbers, selection", async () => {
    await show();
    await click('[data-slice="3"]');
    expect(model.sent.at(-1)).toMatchObject({ name: "choose", args: { at: 3 } });
    expect(root.querySelector(".se-detail")?.textContent).toContain("selecting…");
    await answer(...detail());
    expect(root.dataset.selected).toBe("100");
    const text = root.querySelector(".se-detail")?.textContent;
    expect(text).toContain("40 of 100 samples are wrong: 40.0 %");
    expect(text).toContain("of the others 4.0 %");
    expect(root.querySelectorAll(".se-matrix tbody tr")).toHaveLength(2);
    expect(
      root.querySelector('[aria-label="found in the slice 60.0 %, elsewhere 96.0 %"]'),
    ).not.toBe(null);
    await click(".se-detail h3 button");
    expect(model.sent.at(-1)).toMatchObject({ name: "choose", args: { at: null } });
    expect(root.querySelector(".se-detail")).toBeNull();
  });

  it("show what is refused, and can be closed", async () => {
    await show();
    await click('[data-slice="1"]');
    await act(async () => model.refuse("ValueError: there is no slice 1"));
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("there is no slice 1");
    await click("[role=alert] button");
    expect(root.querySelector("[role=alert]")).toBeNull();
  });

  it("follow a choice made in Python", async () => {
    await show();
    await act(async () => model.put("chosen", ROWS[2]));
    await settle();
    expect(root.querySelector(".se-detail h3")?.textContent).toContain("sensor = cam2");
    expect(model.sent.at(-1)).toMatchObject({ name: "choose", args: { at: 2 } });
  });

  it("of one column come from the kernel", async () => {
    await show();
    const select = root.querySelector<HTMLSelectElement>("select");
    if (!select) throw new Error("no select");
    select.value = "night";
    await act(async () => {
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    expect(model.sent.at(-1)).toMatchObject({ name: "column", args: { column: "night" } });
    await answer({ slices: [slice(7, "night = True", 0.3)], total: 1 });
    expect(root.querySelectorAll("[data-slice]")).toHaveLength(1);
  });

  it.each([
    [{ tested: false }, "Too few samples"],
    [{ weak: true }, "A weakness of its own"],
    [{ explained: "its classes" }, "its classes explains that"],
    [{ p: 0.0001 }, "not by enough to matter"],
    [{ p: 0.4 }, "beyond what luck explains (p = 0.4"],
  ])("%j reads as a sentence", (more, words) => {
    expect(verdict(slice(1, "a", 0.3, more), INFO)).toContain(words);
  });
});

describe("pairs and time", () => {
  it("begin with the weak pair", async () => {
    await show();
    const tabs = [...root.querySelectorAll<HTMLElement>('[role="radio"]')];
    expect(tabs.map((tab) => tab.textContent)).toEqual(["Slices", "Pairs", "Over time"]);
    await act(async () => tabs[1]?.click());
    await settle();
    expect(model.sent.at(-1)).toMatchObject({ name: "pair", args: { columns: [0, 1] } });
    await answer({
      columns: [0, 1],
      labels: [
        ["cam1", "cam3"],
        ["False", "True"],
      ],
      cells: [
        [0, 0],
        [1, 1],
      ],
      slices: [slice(20, "cam1, day", 0.1), slice(3, "cam3, night", 0.4, { weak: true })],
    });
    expect(root.querySelectorAll("[data-pair]")).toHaveLength(2);
    expect(root.querySelector('[data-cell="1,1"]')?.textContent).toContain("◆ 40 %");
    await click('[data-cell="1,1"]');
    expect(model.sent.at(-1)).toMatchObject({ name: "choose", args: { at: 3 } });
  });

  it("show a rate over time, its step in words, and a gap as a gap", async () => {
    await show();
    const tab = [...root.querySelectorAll<HTMLElement>('[role="radio"]')].at(-1);
    await act(async () => tab?.click());
    await settle();
    expect(root.querySelector(".se-words")?.textContent).toBe(LINE.words);
    expect(root.querySelector(".se-time")).toHaveProperty("dataset.shape", "step");
  });

  it("are left out where there are none", async () => {
    await show({ info: { ...INFO, pairs: [] }, timeline: null });
    expect(root.querySelectorAll('[role="radio"]')).toHaveLength(0);
  });
});
