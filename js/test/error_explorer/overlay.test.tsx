import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { DIGITS, useStage } from "./harness";

const stage = useStage();

async function open(total = 200): Promise<void> {
  await stage().show(DIGITS, [60, total, 0, 2, 98, 0, 0, 0, 100]);
  await stage().click('[data-cell="0,1"]');
  await stage().page(total);
}

const states = () =>
  stage()
    .all("[data-id]")
    .map((card) => card.dataset.overlay);
const radio = (text: string) =>
  stage()
    .all("[role=radio]")
    .find((el) => el.textContent === text);

describe("overlays", () => {
  it("are not asked for unless switched on", async () => {
    await open();
    await stage().settle(2000);
    expect(stage().asked("overlay")).toEqual([]);
    expect(states().every((state) => state === undefined)).toBe(true);
  });

  it("are asked for in one request for what is on screen, and shown as busy until then", async () => {
    await open();
    await stage().click(".ex-cam button");
    expect(stage().asked("overlay")).toHaveLength(1);
    const { ids, target } = stage().asked("overlay")[0] ?? {};
    expect(target).toBe("predicted");
    // Two rows of three cards are in view; the row drawn ahead of scrolling is not.
    expect(ids).toEqual([1000, 1001, 1002, 1003, 1004, 1005]);
    expect(states()[0]).toBe("busy");
    await stage().maps([2]);
    expect(states()[0]).toBe("ready");
    expect(stage().find('[data-id="1000"] canvas')).not.toBeNull();
  });

  it("are kept: each sample and class is asked for once", async () => {
    await open();
    await stage().click(".ex-cam button");
    await stage().maps([2]);
    const first = stage().asked("overlay").length;
    await stage().click(".ex-cam button");
    await stage().click(".ex-cam button");
    expect(stage().asked("overlay")).toHaveLength(first);
    await act(async () => radio("True")?.click());
    await stage().settle();
    expect(stage().asked("overlay").at(-1)?.target).toBe("true");
    await stage().maps([1]);
    await act(async () => radio("Predicted")?.click());
    await stage().settle();
    expect(stage().asked("overlay")).toHaveLength(first + 1);
    expect(states()[0]).toBe("ready");
  });

  it("are one request at a time, for what is on screen by then", async () => {
    await open();
    await stage().click(".ex-cam button");
    for (const top of [300, 600, 900]) {
      await stage().scroll(top);
      await stage().page(200);
    }
    expect(stage().asked("overlay")).toHaveLength(1);
    await stage().maps([1]);
    expect(stage().asked("overlay")).toHaveLength(2);
    const { ids } = stage().asked("overlay")[1] ?? {};
    expect((ids as number[])[0]).toBeGreaterThan(1005);
  });

  it("say where there is no positive evidence, and where the map is not finite", async () => {
    await open();
    await stage().click(".ex-cam button");
    await stage().maps([2, 0, Number.NaN]);
    expect(states().slice(0, 3)).toEqual(["ready", "none", "notfinite"]);
    const cards = stage().all("[data-id]");
    expect(cards[0]?.textContent).not.toContain("no positive evidence");
    expect(cards[1]?.textContent).toContain("no positive evidence");
    expect(cards[1]?.querySelector("canvas")).toBeNull();
    expect(cards[2]?.textContent).toContain("map not finite");
  });

  it("state their scale in words", async () => {
    const words = () => stage().find(".ex-scale")?.textContent;
    await open();
    await stage().click(".ex-cam button");
    await stage().maps([2, 0, Number.NaN, 5]);
    expect(words()).toMatch(/full colour = 5\.00, the largest of \d+ maps so far/);
    await act(async () => radio("Each its own")?.click());
    await stage().settle();
    expect(words()).toContain("full colour = each picture’s own maximum");
  });

  it("show an error on the panel, and are not asked for again by themselves", async () => {
    await open();
    await stage().click(".ex-cam button");
    await act(async () => stage().model.refuse("out of memory"));
    await stage().settle(3000);
    expect(stage().root.querySelector("[role=alert]")?.textContent).toContain("out of memory");
    expect(stage().asked("overlay")).toHaveLength(1);
    expect(states()[0]).toBe("failed");
    const again = stage()
      .all("button")
      .find((el) => el.textContent === "Try the missing overlays again");
    await act(async () => again?.click());
    await stage().settle();
    expect(stage().asked("overlay")).toHaveLength(2);
  });
});

describe("the detail", () => {
  it("shows the picture beside its map, and the likeliest classes", async () => {
    await open();
    await stage().click('[data-id="1000"]');
    // Also while overlays are off in the gallery.
    expect(stage().asked("overlay")).toEqual([{ ids: [1000], target: "predicted" }]);
    await stage().maps([3]);
    const detail = stage().find("[data-detail]");
    expect(detail?.querySelector("[data-overlay]")?.getAttribute("data-overlay")).toBe("ready");
    expect(detail?.textContent).toContain("evidence for “one”, peak 3.00");
    expect(detail?.textContent).toContain("true “zero” (10.0 %), predicted “one” (90.0 %)");
    expect(
      stage()
        .all(".ex-top li")
        .map((li) => li.textContent),
    ).toEqual(["one90.0 %predicted", "zero10.0 %true"]);
  });

  it("moves by arrows, loads what it lacks, and Escape goes back to the cards", async () => {
    await open();
    const detail = "[data-detail]";
    await stage().click('[data-id="1000"]');
    await stage().press(detail, "ArrowLeft");
    expect(stage().find(detail)?.dataset.detail).toBe("1000");
    await stage().press(detail, "ArrowRight");
    expect(stage().find(detail)?.dataset.detail).toBe("1001");
    await stage().press(detail, "End");
    expect(stage().find(detail)?.textContent).toContain("Loading");
    expect(stage().asked("page").at(-1)?.offset).toBe(192);
    await stage().page(200);
    expect(stage().find(detail)?.dataset.detail).toBe("1199");
    await stage().press(detail, "Escape");
    expect(stage().find(detail)).toBeNull();
    expect(stage().find("[data-gallery]")).not.toBeNull();
  });

  it("takes the full picture once it is here, and lets it go", async () => {
    await open(20);
    await stage().click('[data-id="1000"]');
    expect(stage().asked("image")).toEqual([{ id: 1000 }]);
    const src = () => stage().find("[data-detail] img")?.getAttribute("src");
    expect(src()).toBe("blob:0");
    const image = { buffer: 0, mime: "image/png", width: 300, height: 200 };
    await stage().reply("image", { id: 1000, image }, [new Uint8Array([1])]);
    expect(src()).toBe("blob:20");
    expect(stage().urls.size).toBe(21);
    await stage().press("[data-detail]", "Escape");
    expect(stage().urls.size).toBe(20);
  });
});
