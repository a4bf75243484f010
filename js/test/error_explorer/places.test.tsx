import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { onTrait } from "../../dev/pack";
import { COUNTS, chosen, countedOf, DIGITS, infoOf, useStage } from "./harness";

const stage = useStage();

const LISTS = [
  {
    key: "suspects",
    title: "Label suspects",
    text: "The label may be wrong.",
    order: "most suspicious first",
    group: "first",
    count: 3,
  },
  { key: "errors", title: "All errors", text: "Worst first.", order: "", group: "", count: 42 },
  { key: "fixed", title: "Fixed", text: "Right now.", order: "", group: "baseline", count: 0 },
];
const FACETS = [
  { name: "light", labels: ["day", "night"], counts: [200, 100], errors: [20, 40], more: 0 },
];
const find = (selector: string) => stage().find(selector);
const text = (selector: string) => find(selector)?.textContent ?? "";

describe("where to start", () => {
  it("offers the lists in the kernel's order, and opens one", async () => {
    await stage().show(DIGITS, COUNTS, { lists: LISTS });
    expect(
      stage()
        .all("[data-list]")
        .map((el) => el.dataset.list),
    ).toEqual(["suspects", "errors", "fixed"]);
    expect(find('[data-list="fixed"]')?.hasAttribute("disabled")).toBe(true);
    await stage().click('[data-list="suspects"]');
    expect(stage().asked("select")).toEqual([{ place: "suspects" }]);
    expect(stage().asked("page")).toEqual([{ place: "suspects", offset: 0, limit: 24 }]);
    expect(text("[data-gallery] h3")).toBe("Label suspects: 3 samples");
    expect(text("[data-gallery]")).toContain("The label may be wrong.");
    expect(text("[data-selection]")).toContain("3 selected");
  });

  it("asks for another order by name, and starts it at the top", async () => {
    await stage().show(DIGITS, COUNTS, { lists: LISTS });
    await stage().click('[data-list="suspects"]');
    await stage().page(3);
    const select = find(".ex-lines select") as HTMLSelectElement;
    expect([...select.options].map((o) => o.text)).toEqual([
      "most suspicious first",
      "most confidently wrong first",
      "highest loss first",
    ]);
    await act(async () => {
      select.value = "loss";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await stage().settle();
    expect(stage().asked("page").at(-1)).toEqual({
      place: "suspects",
      order: "loss",
      offset: 0,
      limit: 24,
    });
  });

  it("groups the worst errors on request, and says when no group stands out", async () => {
    const info = infoOf(DIGITS, { clusters: "by what the model makes of them" });
    await stage().show(DIGITS, COUNTS, { info, lists: LISTS });
    const button = () =>
      stage()
        .all("button")
        .find((el) => el.textContent === "Group the worst errors");
    await act(async () => button()?.click());
    await stage().settle();
    expect(stage().asked("clusters")).toEqual([{}]);
    await stage().reply("clusters", { clusters: 0 });
    expect(text(".ex-start")).toContain("No groups stand out");
    expect(button()).toBeUndefined();
    const cluster = { ...LISTS[0], key: "cluster:1.0", title: "Light is night", group: "cluster" };
    await act(async () => stage().model.put("lists", [...LISTS, cluster]));
    await stage().settle();
    await stage().click('[data-list="cluster:1.0"]');
    expect(text("[data-gallery] h3")).toBe("Light is night: 3 samples");
  });

  it("shows the class that a suspect's label should perhaps be", async () => {
    await stage().show(DIGITS, COUNTS, { lists: LISTS });
    await stage().click('[data-list="suspects"]');
    const sample = { row: 4, id: 4, true: 0, pred: 1, p_true: 0.1, p_pred: 0.9, top: [] };
    const result = { place: "suspects", order: "own", total: 1, offset: 0, shown: [{}] };
    await stage().reply("page", { ...result, samples: [{ ...sample, suggested: 2 }] });
    expect(text('[data-id="4"]')).toContain("label two?");
  });

  it("Show beside a finding opens what it is about", async () => {
    const finding = (code: string, subject: string, evidence = {}) => ({
      code,
      subject,
      severity: "warning",
      message: `about ${subject}`,
      evidence,
      remedy: "",
    });
    await stage().show(DIGITS, COUNTS, {
      lists: LISTS,
      findings: [
        finding("class.weak", "one"),
        finding("confusion.systematic", "zero -> one", { true: 0, predicted: 1 }),
        finding("label.suspect", "labels"),
      ],
    });
    const show = async (code: string) => {
      const link = [...(find(`[data-code="${code}"]`)?.querySelectorAll("button") ?? [])].at(-1);
      await act(async () => link?.click());
      await stage().settle();
      return stage().asked("select").at(-1)?.place;
    };
    expect(await show("class.weak")).toBe("true:1");
    expect(text("[data-gallery] h3")).toBe("2 of 100 true “one” were not recognised");
    expect(await show("confusion.systematic")).toEqual([0, 1]);
    const more = stage()
      .all("button")
      .find((el) => el.textContent === "Show 1 more");
    await act(async () => more?.click());
    expect(await show("label.suspect")).toBe("suspects");
  });
});

describe("the filter", () => {
  const info = infoOf(DIGITS, { metadata: true });

  it("is not there without metadata, and reads the metadata when first opened", async () => {
    await stage().show();
    expect(find(".ex-filter")).toBeNull();
    await act(async () => stage().model.put("info", info));
    await stage().settle();
    await stage().click(".ex-filter button");
    expect(text(".ex-facets")).toContain("Reading the metadata");
    expect(stage().asked("facets")).toEqual([{}]);
    await act(async () => {
      stage().model.put("faceted", FACETS);
      stage().model.reply({ facets: 1 }, [], "facets");
    });
    await stage().settle();
    expect(text('[data-value="night"]')).toContain("40.0 %");
    await stage().click('[data-value="night"] input');
    expect(stage().asked("filter")).toEqual([{ filter: { light: ["night"] } }]);
  });

  it("says so when no column groups the samples", async () => {
    await stage().show(DIGITS, COUNTS, { info });
    await stage().click(".ex-filter button");
    await stage().reply("facets", { facets: 0 });
    expect(text(".ex-facets")).toContain("No column of the metadata groups the samples");
  });

  it("shows what is chosen, takes a second value, and is undone", async () => {
    const filter = { light: ["day"] };
    await stage().show(DIGITS, COUNTS, { info, faceted: FACETS, filter });
    expect(text(".ex-chip")).toContain("light day");
    expect(text(".ex-filter-line")).toContain("300 of 300 samples");
    await stage().click(".ex-filter button");
    await stage().click('[data-value="night"] input');
    await stage().click('[data-value="day"] input');
    await stage().click(".ex-chip");
    expect(
      stage()
        .asked("filter")
        .map((args) => args.filter),
    ).toEqual([{ light: ["day", "night"] }, {}, {}]);
  });

  it("asks for the open cell's samples anew when it changes", async () => {
    await stage().show(DIGITS, COUNTS, { info, faceted: FACETS, place: [0, 1] });
    await stage().page(40);
    await act(async () => {
      stage().model.put(
        "matrix",
        onTrait(Int32Array.from([60, 7, 0, 2, 98, 0, 0, 0, 100]), [3, 3]),
      );
      stage().model.put("counted", countedOf());
      stage().model.put("filter", { light: ["day"] });
    });
    await stage().settle();
    expect(stage().asked("page")).toHaveLength(2);
    expect(find("[data-gallery]")?.dataset.total).toBe("7");
  });
});

describe("a baseline", () => {
  const change = onTrait(Int32Array.from([5, -5, 0, 1, -1, 0, 0, 0, 0]), [3, 3]);
  const baseline = { sentence: "Better by more than noise.", numbers: "6 fixed, 1 broken" };

  it("shows the change first, in words and in the list of the largest", async () => {
    const info = infoOf(DIGITS, { baseline });
    const root = await stage().show(DIGITS, COUNTS, { info, change });
    expect(root.querySelector(".ex-compared b")?.textContent).toBe("Better by more than noise.");
    expect(find('[role="radio"][aria-checked="true"]')?.textContent).toBe("Change");
    expect(
      stage()
        .all("[data-ranked]")
        .map((el) => el.dataset.ranked),
    ).toEqual(["0,0", "0,1", "1,1", "1,0"]);
    expect(text('[data-ranked="0,1"]')).toContain("−5 (now 40)");
    expect(find('[data-cell="0,1"]')?.getAttribute("aria-label")).toContain(
      "−5 against the baseline",
    );
    expect(find('[data-cell="2,2"]')?.getAttribute("aria-label")).toContain("as before");
    expect(text(".ex-legend")).toContain("worse by 5 samples");
  });

  it("is not spoken of where there is none", async () => {
    await stage().show();
    expect(
      stage()
        .all('[role="radio"]')
        .map((el) => el.textContent),
    ).not.toContain("Change");
  });
});

describe("a million selected samples", () => {
  it("are read from their bits", async () => {
    const bits = new Uint8Array(125);
    bits[0] = 0b0000_0101;
    const selected = { count: 2, bits: onTrait(bits, [125]) };
    await stage().show(DIGITS, COUNTS, { place: [0, 1], selected });
    const sample = (row: number) => ({
      row,
      id: row,
      true: 0,
      pred: 1,
      p_true: 0.1,
      p_pred: 0.9,
      top: [],
    });
    const result = { place: [0, 1], order: "confidence", total: 3, offset: 0, shown: [{}, {}, {}] };
    await stage().reply("page", { ...result, samples: [0, 1, 2].map(sample) });
    const marked = stage()
      .all("[data-id]")
      .map((el) => el.getAttribute("aria-selected"));
    expect(marked).toEqual(["true", "false", "true"]);
    await stage().click('[data-id="1"] input');
    expect(stage().asked("select").at(-1)).toEqual({ row: 1, on: true });
    expect(find("[data-selection]")?.dataset.selection).toBe("3");
  });
});

describe("a note", () => {
  it("is written when the field is left, and shown on the card", async () => {
    await stage().show(DIGITS, COUNTS, { place: [0, 1], selected: chosen([]) });
    await stage().page(40);
    await stage().click('[data-id="1000"]');
    const field = find("textarea") as HTMLTextAreaElement;
    await act(async () => {
      field.value = "glare";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await stage().press("textarea", "ArrowRight"); // moves in the text, not to the next sample
    expect(find("[data-detail]")?.dataset.detail).toBe("1000");
    await act(async () => {
      field.dispatchEvent(new FocusEvent("blur"));
    });
    await stage().settle();
    expect(stage().asked("note")).toEqual([{ row: 1000, text: "glare" }]);
    await act(async () => {
      stage().model.put("noted", [[1000, "glare"]]);
      stage().model.reply({ notes: 1 }, [], "note");
    });
    await stage().settle();
    expect(text('[data-id="1000"]')).toContain("glare");
    await stage().press("[data-detail]", "Escape");
    expect(stage().asked("note")).toHaveLength(1);
  });
});

describe("samples that are no pictures", () => {
  const page = { place: [0, 1], order: "confidence", total: 1, offset: 0 };
  const samples = [{ row: 7, id: 7, true: 0, pred: 1, p_true: 0.1, p_pred: 0.9, top: [] }];

  it("are rows with the place of each value, all of them in large", async () => {
    const info = infoOf(DIGITS, { pictures: { kind: "tabular" }, overlay: { available: false } });
    await stage().show(DIGITS, COUNTS, { info, place: [0, 1] });
    const table = [
      ["age", "93", 0.99],
      ["city", "Ulm", null],
    ];
    await stage().reply("page", { ...page, samples, shown: [{ table, more: 1 }] });
    expect(text('[data-id="7"] .ex-unusual')).toContain("age93");
    expect(find('[data-id="7"] .ex-place')?.getAttribute("aria-label")).toBe(
      "higher than 99 % of the data",
    );
    await stage().click('[data-id="7"]');
    expect(stage().asked("image")).toEqual([{ id: 7 }]);
    await stage().reply("image", { id: 7, table: [...table, ["sex", "f", 0.5]], more: 0 });
    expect(find("[data-detail]")?.querySelectorAll("tbody tr")).toHaveLength(3);
  });

  it("are texts, or say why there is nothing to see", async () => {
    const info = infoOf(DIGITS, { pictures: { kind: "text" }, overlay: { available: false } });
    await stage().show(DIGITS, COUNTS, { info, place: [0, 1] });
    const two = [...samples, { ...samples[0], row: 8, id: 8 }];
    const shown = [{ text: "<b>bold</b>" }, { failed: "KeyError: 8" }];
    await stage().reply("page", { ...page, total: 2, samples: two, shown });
    expect(text('[data-id="7"]')).toContain("<b>bold</b>");
    expect(text('[data-id="8"]')).toContain("KeyError: 8");
  });
});
