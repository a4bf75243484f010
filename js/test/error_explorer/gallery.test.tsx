import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { COUNTS, chosen, DIGITS, infoOf, useStage } from "./harness";

const stage = useStage();

async function open(total = 40): Promise<void> {
  await stage().show(DIGITS, [60, total, 0, 2, 98, 0, 0, 0, 100]);
  await stage().click('[data-cell="0,1"]');
  await stage().page(total);
}

describe("the gallery", () => {
  it("says what the samples are, and shows each with its classes and probabilities", async () => {
    await open();
    const gallery = stage().find("[data-gallery]");
    expect(gallery?.querySelector("h3")?.textContent).toBe(
      "40 of 100 true “zero” were predicted as “one”",
    );
    expect(gallery?.textContent).toContain("most confidently wrong first");
    const card = stage().find('[data-id="1000"]');
    expect(card?.textContent).toContain("pred. one90.0 %");
    expect(card?.textContent).toContain("true zero10.0 %");
    expect(card?.textContent).toContain("id 1000");
    expect(card?.querySelector("img")?.getAttribute("src")).toBe("blob:0");
    // 8 px enlarged to some 130: the pixels as they are.
    expect(card?.querySelector("img")?.style.imageRendering).toBe("pixelated");
  });

  it("asks for pages only when they come into view, and keeps only what is on screen", async () => {
    await open(100_000);
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("100000");
    expect(stage().asked("page")).toEqual([{ place: [0, 1], offset: 0, limit: 24 }]);
    expect(stage().all("[data-id]").length).toBeLessThan(40);
    await stage().scroll(400_000);
    const offsets = stage()
      .asked("page")
      .map((args) => Number(args.offset));
    expect(offsets.length).toBeLessThanOrEqual(3);
    expect(offsets.at(-1)).toBeGreaterThan(4000);
    expect(stage().all("[data-id]")).toHaveLength(0);
    await stage().page(100_000);
    expect(stage().all("[data-id]").length).toBeGreaterThan(5);
    expect(stage().all(".ex-card").length).toBeLessThan(50);
  });

  it("asks once for a page however often it is scrolled to and fro", async () => {
    await open(100);
    await stage().scroll(300);
    await stage().page(100);
    const before = stage().asked("page").length;
    await stage().scroll(0);
    await stage().scroll(300);
    expect(stage().asked("page")).toHaveLength(before);
  });

  it("lets pictures go when the gallery closes", async () => {
    await open();
    expect(stage().urls.size).toBe(24);
    await stage().press("[data-scroller]", "Escape");
    expect(stage().find("[data-gallery]")).toBeNull();
    expect(stage().urls.size).toBe(0);
  });

  it("ignores a page that arrives after its cell was closed", async () => {
    await stage().show();
    await stage().click('[data-cell="0,1"]');
    await stage().click('[data-cell="1,0"]');
    const late = stage().model.sent.find((request) => request.name === "page");
    await act(async () =>
      stage().model.message(
        {
          kind: "reply",
          id: late?.id,
          ok: true,
          result: {
            place: [0, 1],
            order: "confidence",
            total: 40,
            offset: 0,
            samples: [{ row: 1, id: 1, true: 0, pred: 1, p_true: 0.1, p_pred: 0.9, top: [] }],
            shown: [{ image: { buffer: 0, mime: "image/png", width: 8, height: 8 } }],
          },
        },
        [new Uint8Array([1])],
      ),
    );
    await stage().settle();
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("2");
    expect(stage().urls.size).toBe(0);
  });

  it("shows an empty cell in words and asks for nothing", async () => {
    await stage().show();
    await stage().click('[data-cell="2,0"]');
    expect(stage().find("[data-gallery]")?.textContent).toContain(
      "None of 100 true “two” were predicted as “zero”",
    );
    expect(stage().asked("page")).toEqual([]);
    expect(stage().asked("select")).toEqual([{ place: [2, 0] }]);
  });

  it("shows the kernel's error once, and asks again on request only", async () => {
    const root = await stage().show();
    await stage().click('[data-cell="0,1"]');
    await act(async () => stage().model.reply({ selection: 40 }, [], "select"));
    const page = stage().model.sent.find((request) => request.name === "page");
    const refusal = { kind: "reply", id: page?.id, ok: false, error: "the data set is gone" };
    await act(async () => stage().model.message(refusal));
    await stage().settle(3000);
    expect(root.querySelector("[role=alert]")?.textContent).toContain("the data set is gone");
    expect(stage().asked("page")).toHaveLength(1);
    const again = stage()
      .all("button")
      .find((el) => el.textContent === "Ask again for the missing samples");
    await act(async () => again?.click());
    await stage().settle();
    expect(stage().asked("page")).toHaveLength(2);
  });

  it("says once why there are no pictures, and shows cards all the same", async () => {
    const info = infoOf(DIGITS, {
      pictures: { kind: "none", reason: "the inputs are rows of a table" },
      overlay: { available: false, reason: "the model has no convolution" },
    });
    await stage().show(DIGITS, COUNTS, { info });
    await stage().click('[data-cell="0,1"]');
    await stage().page(40);
    expect(stage().find("[data-gallery]")?.textContent).toContain(
      "Nothing to see of a sample: the inputs are rows of a table.",
    );
    expect(stage().all("[data-id] img")).toHaveLength(0);
    expect(stage().all("[data-id]").length).toBeGreaterThan(0);
    // nothing to lay a map over: a control that can never be used only distracts
    expect(stage().find(".ex-cam")).toBeNull();
    await stage().click('[data-id="1000"]');
    expect(stage().find("[data-detail]")?.dataset.detail).toBe("1000");
    expect(stage().asked("overlay")).toEqual([]);
    expect(stage().asked("image")).toEqual([]);
  });

  it("says why pictures have no map", async () => {
    const overlay = { available: false, reason: "the model has no convolution" };
    await stage().show(DIGITS, COUNTS, { info: infoOf(DIGITS, { overlay }) });
    await stage().click('[data-cell="0,1"]');
    await stage().page(40);
    expect(stage().find<HTMLButtonElement>(".ex-cam button")?.disabled).toBe(true);
    expect(stage().find(".ex-cam")?.textContent).toContain("the model has no convolution");
  });

  it("is worked by keys: arrows, Space selects, Enter opens the sample", async () => {
    await open();
    const scroller = "[data-scroller]";
    await act(async () => {
      const rows = Array.from({ length: 40 }, (_, i) => 1000 + i);
      stage().model.put("selected", chosen(rows));
      stage().model.reply({ selection: 40 }, [], "select");
    });
    await stage().settle();
    await stage().press(scroller, "ArrowRight");
    expect(stage().find(".ex-current")?.dataset.id).toBe("1001");
    await stage().press(scroller, " ");
    expect(stage().asked("select").at(-1)).toEqual({ row: 1001, on: false });
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("39");
    expect(stage().find('[data-id="1001"]')?.getAttribute("aria-selected")).toBe("false");
    await stage().press(scroller, "Enter");
    expect(stage().find("[data-detail]")?.dataset.detail).toBe("1001");
  });
});

describe("the selection", () => {
  it("says that it waits for the cell to end, and takes the kernel's word after", async () => {
    await stage().show();
    await stage().click('[data-cell="0,1"]');
    const line = () => stage().find("[data-selection]");
    expect(line()?.textContent).toContain("40 selected");
    expect(line()?.textContent).toContain("explorer.selection");
    expect(line()?.dataset.pending).toBe("true");
    await stage().settle(1100);
    expect(line()?.textContent).toContain("takes effect when the cell ends");
    expect(stage().find("[data-gallery]")?.textContent).toContain(
      "The kernel is busy: samples follow as soon as it is free.",
    );
    await act(async () => {
      stage().model.put("selected", chosen([1000, 1001, 1002]));
      stage().model.reply({ selection: 3 }, [], "select");
    });
    await stage().settle();
    expect(line()?.textContent).toContain("3 selected");
    expect(line()?.textContent).not.toContain("takes effect");
    expect(line()?.dataset.pending).toBe("false");
  });

  it("does not touch single samples before the kernel has named them", async () => {
    await open();
    const box = () => stage().find<HTMLInputElement>('[data-id="1000"] input');
    expect(box()?.disabled).toBe(true);
    await stage().press("[data-scroller]", " ");
    expect(stage().asked("select")).toHaveLength(1);
    expect(box()?.checked).toBe(true);
    await act(async () => {
      stage().model.put("selected", chosen([1000, 1001]));
      stage().model.reply({ selection: 2 }, [], "select");
    });
    await stage().settle();
    expect(box()?.disabled).toBe(false);
    await act(async () => box()?.click());
    await stage().settle();
    expect(stage().asked("select").at(-1)).toEqual({ row: 1000, on: false });
    expect(stage().find("[data-detail]")).toBeNull();
  });

  it("does not fall back to an earlier click while a later one is under way", async () => {
    const all = [1000, 1001, 1002];
    await stage().show(DIGITS, COUNTS, { place: [0, 1], selected: chosen(all) });
    await stage().page(40);
    await stage().click('[data-id="1000"] input');
    await stage().click('[data-id="1001"] input');
    const [first, second] = stage().model.sent.filter((r) => r.name === "select");
    const done = (id?: string) =>
      act(async () => stage().model.message({ kind: "reply", id, ok: true, result: {} }));
    await act(async () => stage().model.put("selected", chosen([1001, 1002])));
    await done(first?.id);
    await stage().settle();
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("1");
    await act(async () => stage().model.put("selected", chosen([1002])));
    await done(second?.id);
    await stage().settle();
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("1");
    await stage().click('[data-cell="1,0"]');
    await act(async () => stage().model.put("place", [0, 1]));
    await stage().settle();
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("2");
  });

  it("goes back to what the kernel has when it refuses", async () => {
    const root = await stage().show(DIGITS, COUNTS, {
      place: [0, 1],
      selected: chosen([1000, 1001]),
    });
    await stage().page(40);
    await stage().click('[data-id="1000"] input');
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("1");
    await act(async () => stage().model.refuse("unknown id"));
    await stage().settle();
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("2");
    expect(root.querySelector("[role=alert]")?.textContent).toContain("unknown id");
  });
});

describe("coming and going", () => {
  it("leaves no listener and no picture behind", async () => {
    await stage().show();
    await stage().click('[data-cell="0,1"]');
    await stage().page(40);
    await stage().click("[data-id]");
    const second = new AbortController();
    await stage().another(second.signal);
    const shared = stage().model.listeners;
    expect(shared).toBeGreaterThan(0);
    await act(async () => second.abort());
    expect(stage().model.listeners).toBe(shared);
    await act(async () => stage().closed.abort());
    await stage().settle();
    expect(document.querySelector(".nbdiag")).toBeNull();
    expect(stage().urls.size).toBe(0);
    await act(async () => stage().gone.abort());
    expect(stage().model.listeners).toBe(0);
  });

  it("says that the kernel has gone, keeps its picture and asks for nothing more", async () => {
    const root = await stage().show();
    await stage().click('[data-cell="0,1"]');
    await act(async () => stage().model.trigger("comm_live_update"));
    await stage().settle();
    expect(root.textContent).toContain("disconnected");
    expect(root.querySelector("[role=alert]")?.textContent).toContain("the kernel has gone");
    const before = stage().model.sent.length;
    await stage().click('[data-cell="1,0"]');
    expect(stage().model.sent).toHaveLength(before);
    expect(root.querySelector("[role=alert]")?.textContent).toContain("run the cell again");
    expect(stage().find("[data-matrix]")).not.toBeNull();
  });
});
