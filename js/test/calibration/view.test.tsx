import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CalibrationKernel } from "../../dev/calibration_kernel";
import widget from "../../src/views/calibration";
import { usePage } from "../layers/harness";

const page = usePage();

function traits(more: Record<string, unknown> = {}, of = -1): Record<string, unknown> {
  const kernel = new CalibrationKernel({
    ...{ samples: 800, truth: 2, bins: 10, of, at: 1, delay: 0 },
  });
  const names = ["info", "settings", "temperature", "diagrams", "curves"];
  return { ...Object.fromEntries(names.map((name) => [name, kernel.get(name)])), ...more };
}

const find = (selector: string) => page().root.querySelector<HTMLElement>(selector);
const text = () => page().root.textContent ?? "";
const slider = () => find("input[type=range]") as HTMLInputElement;

async function slide(index: number): Promise<void> {
  const input = slider();
  input.value = String(index);
  await act(async () => void input.dispatchEvent(new Event("input", { bubbles: true })));
  await page().settle(20);
}

async function press(...names: string[]): Promise<void> {
  for (const key of names) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    await act(async () => void find(".cal-diagram")?.dispatchEvent(event));
  }
  await page().settle();
}

describe("Calibration", () => {
  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1000);
  });

  it("draws a point for each full bin, and says what the sides of the diagonal mean", async () => {
    await page().show(widget, traits());
    expect(page().root.dataset).toMatchObject({ ready: "true", temperature: "1.00000" });
    expect(page().root.querySelectorAll("[data-bin]").length).toBe(5);
    expect(text()).toContain("right less often than it says");
    expect(text()).toContain("perfectly calibrated");
    expect(find(".cal-ghost")).toBeNull();
    expect(find(".cal-advice")?.className).toContain("cal-in-sample");
  });

  it("names the halves of a diagram of one class", async () => {
    await page().show(widget, traits({}, 0));
    expect(text()).toContain("probability too low");
    expect(text()).not.toContain("right less often");
  });

  it("moves at once with the slider, and tells the kernel when it rests", async () => {
    await page().show(widget, traits());
    const before = find(".cal-line")?.getAttribute("points");
    await slide(40);
    expect(find(".cal-line")?.getAttribute("points")).not.toBe(before);
    expect(find(".cal-ghost")).not.toBeNull();
    await slide(42);
    expect(page().asked("temperature")).toEqual([]);
    await page().settle(200);
    const [asked, ...more] = page().asked("temperature");
    expect(more).toEqual([]);
    expect(asked?.value).toBeGreaterThan(2);
    page().model.reply({}, [], "temperature");
    await page().settle();
    expect(page().root.dataset.exact).toBe("true");
  });

  it("jumps to the fitted temperature and back", async () => {
    await page().show(widget, traits());
    const button = (name: string) =>
      [...page().root.querySelectorAll("button")].find((one) => one.textContent?.includes(name));
    await act(async () => button("Fitted")?.click());
    await page().settle(200);
    expect(page().asked("temperature")).toEqual([{ value: 2 }]);
    expect(find(".cal-temperature-head b")?.textContent).toBe("2.00");
    await act(async () => button("As it is")?.click());
    await page().settle(200);
    expect(page().asked("temperature").at(-1)).toEqual({ value: 1 });
    expect(find(".cal-ghost")).toBeNull();
  });

  it("follows Python, but not while the slider moves", async () => {
    await page().show(widget, traits());
    act(() => page().model.put("temperature", 3));
    await page().settle();
    expect(page().root.dataset.temperature).toBe("3.00000");
    await slide(10);
    const at = page().root.dataset.temperature;
    act(() => page().model.put("temperature", 4));
    await page().settle();
    expect(page().root.dataset.temperature).toBe(at);
  });

  it("asks for other bins, then for their curves", async () => {
    await page().show(widget, traits());
    await page().choose("Equal mass");
    expect(page().asked("settings")).toEqual([{ bins: 10, strategy: "equal_mass", of: -1 }]);
    act(() => page().model.put("curves", {}));
    page().model.reply({}, [], "settings");
    await page().settle();
    expect(page().asked("curves").length).toBe(1);
    expect(text()).toContain("Counting at other temperatures");
  });

  it("goes back to what is shown where the kernel refuses", async () => {
    await page().show(widget, traits());
    await page().choose("Equal mass");
    page().model.refuse("ValueError: no");
    await page().settle();
    expect(text()).toContain("ValueError: no");
    expect(find("[role=radio][aria-checked=true]")?.textContent).toBe("Equal width");
  });

  it("asks for the curves where none came", async () => {
    await page().show(widget, traits({ curves: {} }));
    expect(page().asked("curves").length).toBe(1);
    expect(slider()).toBeNull();
  });

  it("says why the temperature is fixed", async () => {
    const info = { ...(traits().info as object), fixed: "a probability is 0", fitted: null };
    await page().show(widget, traits({ info, curves: {} }));
    expect(text()).toContain("The temperature cannot be changed: a probability is 0.");
    expect(page().asked("curves")).toEqual([]);
    expect(slider()).toBeNull();
  });

  it("moves over the bins with arrows, selects one with Enter, and clears with Escape", async () => {
    await page().show(widget, traits());
    await press("End", "ArrowLeft");
    expect(find(".nbd-tooltip")?.textContent).toContain("80.0 % to 90.0 %");
    await press("Enter");
    expect(page().asked("select")).toEqual([{ bin: 8 }]);
    page().model.reply({ selection: 77 }, [], "select");
    await page().settle();
    expect(text()).toContain("77 samples of this bin in .selection");
    await press("Escape");
    expect(find(".nbd-tooltip")).toBeNull();
    expect(page().asked("select").at(-1)).toEqual({ bin: null });
    expect(text()).not.toContain("77 samples");
  });

  it("waits without data", async () => {
    await page().show(widget, {});
    expect(text()).toContain("Waiting for predictions");
  });

  it("leaves no listener", async () => {
    await page().show(widget, traits());
    const { model } = page();
    page().close();
    expect(model.listeners).toBe(0);
  });
});
