import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import widget from "../../src/views/failure_modes";
import type { Mode } from "../../src/views/failure_modes/store";

function mode(name: string, share: number | null, more: Partial<Mode> = {}): Mode {
  return {
    name,
    n: 100,
    errors: 40,
    share,
    samples_share: 0.1,
    rate: 0.4,
    low: 0.31,
    high: 0.5,
    lift: 4,
    lift_low: 3.1,
    lift_high: 5,
    concentrated: false,
    explained: "",
    by_answer: false,
    rest: false,
    ...more,
  };
}

const MODES = [
  mode("dark", 0.4, { concentrated: true }),
  mode("<b>dim</b>", 0.3, { explained: "dark", lift_high: null }),
  mode("mistakes", 1, { by_answer: true }),
  mode("none", 0, { n: 0, errors: 0, rate: null, lift: null, lift_low: null, lift_high: null }),
  mode("uncategorised", 0.2, { rest: true }),
];
const INFO = {
  title: "Failure modes",
  samples: 1000,
  errors: 100,
  several: 7,
  classes: ["a", "b"],
};
const OVERLAP = [
  [40, 30, 40, 0],
  [30, 30, 30, 0],
  [40, 30, 100, 0],
  [0, 0, 0, 0],
];

let model: FakeModel;
let root: HTMLElement;
const gone = new AbortController();

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(200);
  });
}

async function show(traits: Record<string, unknown> = {}) {
  const basic = { info: INFO, modes: MODES, overlap: OVERLAP, chosen: null };
  model = new FakeModel({ ...basic, findings: [], failures: [], ...traits });
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

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("failure modes", () => {
  it("show each category with its share, its lift and what is to know", async () => {
    await show();
    const rows = [...root.querySelectorAll<HTMLElement>("[data-mode]")].map(
      (row) => row.textContent,
    );
    expect(rows[0]).toContain("concentrated");
    expect(rows[0]).toContain("×4.03.1 to 5.0");
    expect(rows[1]).toContain("explained by dark");
    expect(rows[1]).toContain("3.1 to ∞");
    expect(rows[2]).toContain("told what is wrong: not judged");
    expect(rows[3]).toContain("no sample fits");
    expect(rows[4]).toContain("in no category");
    expect(root.querySelector("[data-mode] b b")).toBeNull();
    expect(root.querySelector(".nbd-status")?.textContent).toBe("100 errors in 1,000 samples");
    expect(root.querySelector(".nbd-foot")?.textContent).toContain(
      "20.0 % of the errors are in no category",
    );
  });

  it("draw the bar as long as the share, and the mark at the samples' share", async () => {
    await show();
    const first = root.querySelector('[data-mode="dark"]');
    expect(first?.querySelector<HTMLElement>(".fm-bar")?.style.width).toBe("40.000%");
    expect(first?.querySelector<HTMLElement>(".fm-samples")?.style.left).toBe("10.000%");
  });

  it("open with a click: overlap, confusions, selection", async () => {
    await show();
    await click('[data-mode="dark"]');
    expect(model.sent.at(-1)).toMatchObject({ name: "choose", args: { category: "dark" } });
    await act(async () =>
      model.reply({
        selection: 40,
        confusions: [
          [0, 1, 25],
          [1, -1, 15],
        ],
      }),
    );
    await settle();
    expect(root.dataset.selected).toBe("40");
    expect(root.querySelector('[data-overlap="0,1"]')?.textContent).toBe("30");
    const text = root.querySelector(".fm-detail")?.textContent;
    expect(text).toContain("far more of the errors than its share");
    expect(text).toContain("not finite 15");
    await click('.fm-pick[title="<b>dim</b>"]');
    expect(model.sent.at(-1)).toMatchObject({ args: { category: "<b>dim</b>" } });
    expect(root.querySelector(".fm-detail")?.textContent).toContain("which dark explains");
  });

  it("clear with Escape, and show what is refused", async () => {
    await show();
    await click('[data-mode="dark"]');
    await act(async () => model.refuse("ValueError: no category"));
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("no category");
    await act(async () => {
      const event = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
      root.querySelector("[data-mode]")?.dispatchEvent(event);
    });
    await settle();
    expect(root.querySelector(".fm-detail")).toBeNull();
    expect(model.sent.at(-1)).toMatchObject({ args: { category: null } });
  });

  it("have no shares where there is no error", async () => {
    const none = { share: null, errors: 0, rate: 0, lift: null, lift_low: null, lift_high: null };
    await show({
      modes: [mode("dark", null, none), mode("uncategorised", null, { ...none, rest: true })],
    });
    expect(root.querySelector('[data-mode="dark"]')?.textContent).toContain("–");
    await click('[data-mode="dark"]');
    expect(root.querySelector(".fm-detail")?.textContent).toContain("There are no errors at all");
  });

  it("follow a choice made in Python", async () => {
    await show();
    await act(async () => model.put("chosen", "mistakes"));
    await settle();
    expect(root.querySelector(".fm-detail h3")?.textContent).toContain("mistakes");
  });
});
