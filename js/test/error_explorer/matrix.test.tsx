import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { onTrait } from "../../dev/pack";
import { COUNTS, chosen, countedOf, DIGITS, infoOf, useStage } from "./harness";

const stage = useStage();

function square(n: number): number[] {
  return Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 50 : i % 7 === 0 ? 1 : 0));
}

describe("the matrix", () => {
  it.each([2, 10, 20, 100])("is ready with %i classes", async (n) => {
    const classes = Array.from({ length: n }, (_, i) => `class ${i}`);
    const root = await stage().show(classes, square(n));
    expect(root.dataset).toMatchObject({ view: "error_explorer", ready: "true" });
    const matrix = stage().find("[data-matrix]");
    expect(Number(matrix?.dataset.cellSize)).toBeGreaterThan(0);
    expect(matrix?.dataset.order?.split(",")).toHaveLength(n);
    expect(stage().all("[role=gridcell]")).toHaveLength(n <= 20 ? n * n : 0);
  });

  it("states accuracy with its interval, and what it rests on", async () => {
    const root = await stage().show();
    expect(root.querySelector(".nbd-status")?.textContent).toBe("accuracy 86.0 % (81.6 to 89.5 %)");
    const foot = root.querySelector(".nbd-foot")?.textContent;
    expect(foot).toContain("300 samples");
    expect(foot).toContain("output read as softmax of 3 logits");
    expect(foot).toContain("Grad-CAM at layer4");
    expect(root.textContent).toContain("Click a cell to see its samples");
  });

  it("waits for predictions, and shows them when they come", async () => {
    const root = await stage().show(DIGITS, COUNTS, { matrix: null });
    expect(root.dataset).toMatchObject({ ready: "false", state: "waiting" });
    expect(root.textContent).toContain("Waiting for predictions");
    await act(async () => stage().model.put("matrix", onTrait(Int32Array.from(COUNTS), [3, 3])));
    await stage().settle();
    expect(root.dataset.ready).toBe("true");
  });

  it("says when the matrix does not fit the classes", async () => {
    const root = await stage().show(DIGITS, COUNTS, {
      matrix: onTrait(Int32Array.from([1, 2, 3, 4]), [2, 2]),
    });
    expect(root.querySelector("[role=alert]")?.textContent).toContain("3 classes need 9");
  });

  it("names each cell in words", async () => {
    await stage().show();
    expect(stage().find('[data-cell="0,1"]')?.getAttribute("aria-label")).toBe(
      "true “zero”, predicted “one”: 40 of 100 samples, 40.0 % of the row",
    );
    expect(stage().find('[data-cell="2,0"]')?.dataset.count).toBe("0");
  });

  it("has a column for outputs that are not finite, only if there are any", async () => {
    await stage().show(DIGITS, COUNTS, {
      info: infoOf(DIGITS, { nonfinite: 4 }),
      counted: countedOf([0, 4, 0]),
    });
    expect(stage().all("[role=gridcell]")).toHaveLength(12);
    expect(stage().find('[data-cell="1,-1"]')?.dataset.count).toBe("4");
    await stage().click('[data-cell="1,-1"]');
    expect(stage().find("h3")?.ownerDocument.body.textContent).toContain(
      "4 of 104 true “one” gave an output that is not finite",
    );
    expect(stage().find(".ex-cam button")).toHaveProperty("disabled", true);
    expect(stage().asked("page")).toHaveLength(1);
  });

  it("orders the classes on request", async () => {
    await stage().show();
    const select = stage().find<HTMLSelectElement>("select");
    if (!select) throw new Error("no select");
    select.value = "errors";
    await act(async () => {
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await stage().settle();
    expect(stage().find("[data-matrix]")?.dataset.order).toBe("0,1,2");
    await act(async () =>
      stage().model.put(
        "matrix",
        onTrait(Int32Array.from([60, 0, 0, 2, 98, 0, 0, 5, 100]), [3, 3]),
      ),
    );
    await stage().settle();
    expect(stage().find("[data-matrix]")?.dataset.order).toBe("2,1,0");
  });

  it("lists the largest confusions, which open their cell", async () => {
    await stage().show();
    const ranked = stage().all("[data-ranked]");
    expect(ranked.map((el) => el.dataset.ranked)).toEqual(["0,1", "1,0"]);
    expect(ranked[0]?.textContent).toBe("zero→one40 (40.0 %)");
    await stage().click('[data-ranked="1,0"]');
    expect(stage().asked("select")).toEqual([{ place: [1, 0] }]);
  });

  it("folds a long list", async () => {
    await stage().show(
      Array.from({ length: 10 }, (_, i) => `c${i}`),
      square(10),
    );
    expect(stage().all("[data-ranked]")).toHaveLength(10);
    await stage().click(".ex-all");
    expect(stage().all("[data-ranked]").length).toBeGreaterThan(10);
  });

  it("says so when there are no errors", async () => {
    const root = await stage().show(["a", "b"], [5, 0, 0, 5]);
    expect(root.textContent).toContain("No errors");
    expect(stage().all("[data-ranked]")).toHaveLength(0);
  });

  it("keeps HTML in class names as text", async () => {
    const evil = '<img src=x onerror="window.hacked=1"><b>bold</b>';
    const root = await stage().show(["plain", evil], [5, 3, 2, 5]);
    await stage().click('[data-cell="0,1"]');
    await stage().page(3);
    await stage().click("[data-id]");
    expect(root.querySelector("b img, img[src=x], .nbd-name b")).toBeNull();
    expect(root.textContent).toContain("<img src=x");
    expect("hacked" in window).toBe(false);
  });

  it("is worked by keys: arrows move, Enter opens, Escape clears", async () => {
    await stage().show();
    const matrix = "[data-matrix]";
    await stage().press(matrix, "ArrowRight");
    expect(stage().find(matrix)?.dataset.focused).toBe("0,0");
    await stage().press(matrix, "ArrowRight");
    await stage().press(matrix, "ArrowDown");
    await stage().press(matrix, "ArrowUp");
    expect(stage().find(matrix)?.dataset.focused).toBe("0,1");
    await stage().press(matrix, "Enter");
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("40");
    await stage().press(matrix, "Escape");
    expect(stage().find("[data-gallery]")).toBeNull();
    expect(stage().asked("select")).toEqual([{ place: [0, 1] }, { none: true, close: true }]);
  });

  it("opens the cell that Python or a second view opened", async () => {
    await stage().show(DIGITS, COUNTS, {
      place: [0, 1],
      selected: chosen([1, 2]),
    });
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("40");
    expect(stage().find("[data-selection]")?.dataset.selection).toBe("2");
    await act(async () => stage().model.put("place", [1, 0]));
    await stage().settle();
    expect(stage().find("[data-gallery]")?.dataset.total).toBe("2");
    expect(stage().asked("select")).toEqual([]);
  });
});
