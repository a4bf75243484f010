import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { histogramReply } from "../../dev/histogram_data";
import { inMessage } from "../../dev/pack";
import { append, snapshot, train } from "../../dev/training";
import widget from "../../src/views/gradient_flow";
import type { Bytes } from "../../src/wire";

const LAYERS = ["stem", "body.a", "body.b", "head"];
const info = {
  title: "Gradient flow",
  source: "Net",
  layers: LAYERS.map((name) => ({ name, kind: "Linear", size: 10, parameters: [] })),
};
const live = (state: string, step: number) => ({
  state,
  step,
  samples: step,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  controllable: true,
});

let model: FakeModel;
let gone: AbortController;
let closed: AbortController;
let definition: ReturnType<typeof widget>;

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(40);
  });
}

async function show(traits: Record<string, unknown> = {}): Promise<HTMLElement> {
  model = new FakeModel({ info, live: live("waiting", 0), findings: [], failures: [], ...traits });
  definition = widget();
  definition.initialize({ model, signal: gone.signal });
  return another();
}

async function another(signal = closed.signal): Promise<HTMLElement> {
  const el = document.createElement("div");
  document.body.append(el);
  await act(async () => definition.render({ model, el, signal }));
  await settle();
  return el.firstElementChild as HTMLElement;
}

const row = (root: HTMLElement, layer: string) =>
  root.querySelector<HTMLElement>(`[data-layer="${layer}"]`);
const button = (root: HTMLElement, label: string) =>
  root.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`);
const press = (root: HTMLElement, key: string) =>
  act(() => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    root.querySelector("[role=treegrid]")?.dispatchEvent(event);
  });

/** A message with one sample: a value and a status a layer. */
function one(start: number, step: number, norms: number[], status = [0, 0, 0, 0]) {
  const buffers: Bytes[] = [];
  const shape = [1, LAYERS.length];
  const content = {
    kind: "append",
    start,
    live: live("live", step),
    steps: inMessage(Float64Array.from([step]), [1], buffers),
    norms: inMessage(Float32Array.from(norms), shape, buffers),
    weights: inMessage(new Float32Array(LAYERS.length).fill(2), shape, buffers),
    status: inMessage(Uint8Array.from(status), shape, buffers),
  };
  return [content, buffers] as const;
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      "setTimeout",
      "clearTimeout",
      "Date",
      "performance",
      "requestAnimationFrame",
      "cancelAnimationFrame",
    ],
  });
  gone = new AbortController();
  closed = new AbortController();
});
afterEach(() => {
  act(() => {
    closed.abort();
    gone.abort();
  });
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("GradientFlow", () => {
  it("waits for the first step, in words", async () => {
    const root = await show();
    expect(root.className).toBe("nbdiag");
    expect(root.dataset).toMatchObject({
      view: "gradient_flow",
      state: "waiting",
      samples: "0",
      lmSuppressShortcuts: "true",
    });
    expect(root.textContent).toContain("Waiting for the first optimizer.step()");
  });

  it("moves bars with the stream and follows the newest step", async () => {
    const root = await show();
    model.message(...one(0, 1, [1, 1, 1, 0.1]));
    await settle();
    expect(root.dataset).toMatchObject({ state: "live", step: "1", samples: "1" });
    expect(Number(row(root, "head")?.dataset.value)).toBeCloseTo(0.1, 6);
    const length = row(root, "head")?.querySelector<HTMLElement>("[data-bar]")?.style.transform;
    model.message(...one(1, 2, [1, 1, 1, 0.001]));
    await settle();
    expect(root.dataset.step).toBe("2");
    expect(Number(row(root, "head")?.dataset.value)).toBeCloseTo(0.001, 6);
    expect(row(root, "head")?.querySelector<HTMLElement>("[data-bar]")?.style.transform).not.toBe(
      length,
    );
  });

  it("divides by the weights on request", async () => {
    const root = await show();
    model.message(...one(0, 1, [1, 1, 1, 0.5]));
    await settle();
    const relative = [...root.querySelectorAll<HTMLElement>("[role=radio]")][1];
    await act(async () => relative?.click());
    expect(Number(row(root, "head")?.dataset.value)).toBeCloseTo(0.25, 6);
  });

  it("shows the norm before clipping where clipping changed it, and counts", async () => {
    const root = await show();
    const [content, buffers] = one(0, 1, [1, 1, 1, 0.1]);
    const raw = inMessage(Float32Array.from([1, 1, 1, 0.4]), [1, 4], buffers as Bytes[]);
    model.message({ ...content, raw, clipping: { seen: 3, clipped: 1 } }, buffers as Bytes[]);
    await settle();
    expect(row(root, "head")?.querySelector("[data-raw]")).not.toBeNull();
    expect(row(root, "stem")?.querySelector("[data-raw]")).toBeNull();
    expect(root.querySelector("[aria-label=Legend]")?.textContent).toContain("before clipping");
    expect(root.textContent).toContain("clipping active at 1 of 3 samples (33 %)");
    // A sample whose norms before clipping did not come still has an axis.
    const [next, more] = one(1, 2, [1, 1, 1, 0.1]);
    model.message({ ...next, clipping: { seen: 4, clipped: 1 } }, [...more]);
    await settle();
    expect(Number(row(root, "head")?.dataset.value)).toBeCloseTo(0.1, 6);
    expect(row(root, "head")?.querySelector("[data-raw]")).toBeNull();
  });

  it("shows what a step changes, over the weights, with the usual band", async () => {
    const root = await show({ live: live("done", 5), snapshot: snapshot(train(5, 4)) });
    await act(async () => [...root.querySelectorAll<HTMLElement>("[role=radio]")][2]?.click());
    const { updates, weights } = train(5, 4);
    const last = (updates[19] as number) / (weights[19] as number);
    expect(Number(row(root, "head")?.dataset.value)).toBeCloseTo(last, 6);
    expect(root.querySelector("[aria-label=Legend]")?.textContent).toContain("rule of thumb");
  });

  it("asks for the histograms of the layer that is selected, and for its zeros", async () => {
    const layers = LAYERS.map((name) => ({ name, kind: "", parameters: [`${name}.weight`] }));
    const root = await show({
      info: { ...info, layers },
      live: live("done", 5),
      snapshot: snapshot(train(5, 4)),
    });
    press(root, "ArrowDown");
    await settle();
    expect(model.sent.map(({ name, args }) => [name, args])).toEqual([
      ["histograms", { parameter: "stem.weight", kind: "gradient" }],
      ["layer", { layer: 0 }],
    ]);
    const buffers: Bytes[] = [];
    const column = (values: number[]) =>
      inMessage(Float32Array.from(values), [values.length], buffers);
    const zeros = {
      steps: inMessage(Float64Array.from([1, 5]), [2], buffers),
      zeros: column([0, 0.25]),
      nonfinite: column([0, 3]),
    };
    model.reply(zeros, buffers, "layer");
    model.reply(...histogramReply(7), "histograms");
    await settle();
    const detail = root.querySelector(".ly-detail")?.textContent;
    expect(detail).toContain("25.0 % of the gradient exactly zero, 3 entries NaN or infinite");
    const ridge = root.querySelector(".ly-ridge canvas")?.getAttribute("aria-label");
    expect(ridge).toContain("stem.weight: 7 histograms");
    press(root, "Escape");
    await settle();
    expect(root.querySelector(".ly-ridge")).toBeNull();
  });

  it("marks what has no number, each in its own words", async () => {
    const root = await show();
    const nan = Number.NaN;
    model.message(...one(0, 1, [nan, nan, nan, Number.POSITIVE_INFINITY], [3, 2, 1, 4]));
    await settle();
    const status = LAYERS.map((name) => row(root, name)?.dataset.status);
    expect(status).toEqual(["NaN", "frozen", "no gradient", "infinite"]);
    expect(LAYERS.map((name) => row(root, name)?.dataset.value)).toEqual(Array(4).fill(undefined));
    const legend = root.querySelector("[aria-label=Legend]")?.textContent;
    for (const word of status) expect(legend).toContain(word);
  });

  it("asks once for the history when rows are missing, and goes on from it", async () => {
    const root = await show();
    const all = train(30, LAYERS.length);
    model.message(...append(all, 0, 5));
    model.message(...append(all, 10, 15));
    model.message(...append(all, 15, 20));
    expect(model.sent.map(({ name }) => name)).toEqual(["snapshot"]);
    const [{ kind, ...rows }, buffers] = append(all, 0, 20);
    expect(kind).toBe("append");
    model.reply({ ...rows, live: live("live", 20) }, [...buffers]);
    await settle();
    model.message(...append(all, 20, 30));
    await settle();
    expect(root.dataset).toMatchObject({ samples: "30", step: "30" });
    expect(model.sent).toHaveLength(1);
  });

  it("shows a message that cannot be read as an error", async () => {
    const root = await show();
    model.message({ kind: "append", start: 0, steps: { dtype: "float64", shape: [1], buffer: 0 } });
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("buffer 0 is missing");
  });

  it("pauses, resumes and changes the stride by request", async () => {
    const root = await show({ live: live("live", 3), snapshot: snapshot(train(3, 4)) });
    await act(async () => button(root, "Pause sampling")?.click());
    await settle();
    expect(model.sent.at(-1)).toMatchObject({ name: "pause", args: {} });
    expect(button(root, "Pause sampling")?.disabled).toBe(true);
    await act(async () => void vi.advanceTimersByTime(1100));
    await settle();
    expect(root.querySelector(".nbd-deferred")?.textContent).toBe(
      "takes effect when the cell ends",
    );
    model.reply({ live: live("paused", 3) });
    await settle();
    expect(root.dataset.state).toBe("paused");
    expect(root.querySelector(".nbd-deferred")).toBeNull();
    await act(async () => button(root, "Resume sampling")?.click());
    expect(model.sent.at(-1)?.name).toBe("resume");
    const select = root.querySelector("select") as HTMLSelectElement;
    select.value = "10";
    await act(async () => void select.dispatchEvent(new Event("change", { bubbles: true })));
    expect(model.sent.at(-1)).toMatchObject({ name: "every", args: { every: 10 } });
    model.refuse("The run has ended.");
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("The run has ended.");
  });

  it("says disconnected when the kernel goes, and keeps its last picture", async () => {
    const root = await show({ live: live("live", 9), snapshot: snapshot(train(9, 4)) });
    await act(async () => button(root, "Pause sampling")?.click());
    model.trigger("comm_live_update");
    await settle();
    expect(root.dataset).toMatchObject({ state: "disconnected", samples: "9" });
    expect(root.querySelector(".nbd-chip")?.textContent).toContain("disconnected");
    expect(row(root, "head")?.dataset.value).toBeDefined();
    expect(button(root, "Pause sampling")?.disabled).toBe(true);
    expect(button(root, "Replay the training")?.disabled).toBe(false);
  });

  it("scrubs, selects, opens and clears by keyboard", async () => {
    const root = await show({ live: live("done", 9), snapshot: snapshot(train(9, 4)) });
    press(root, "ArrowLeft");
    expect(root.dataset).toMatchObject({ step: "8", live: "false" });
    press(root, "Home");
    expect(root.dataset.step).toBe("1");
    press(root, "ArrowLeft");
    expect(root.dataset.step).toBe("1");
    press(root, "ArrowDown");
    press(root, "ArrowDown");
    expect(root.querySelector("[aria-selected=true]")?.getAttribute("data-layer")).toBe("body");
    expect(row(root, "body.a")).not.toBeNull();
    press(root, "Enter");
    expect(row(root, "body.a")).toBeNull();
    expect(row(root, "body")?.dataset.value).toBeDefined();
    press(root, "Escape");
    expect(root.querySelector("[aria-selected=true]")).toBeNull();
    expect(root.dataset.step).toBe("1");
    press(root, "Escape");
    expect(root.dataset).toMatchObject({ step: "9", live: "true" });
  });

  it("replays the whole training and ends at the newest step", async () => {
    const root = await show({ live: live("done", 50), snapshot: snapshot(train(50, 4)) });
    await act(async () => button(root, "Replay the training")?.click());
    await settle();
    expect(Number(root.dataset.step)).toBeLessThan(10);
    await act(async () => void (await vi.advanceTimersByTimeAsync(1500)));
    await settle();
    const half = Number(root.dataset.step);
    expect(half).toBeGreaterThan(10);
    expect(half).toBeLessThan(45);
    await act(async () => void (await vi.advanceTimersByTimeAsync(3000)));
    await settle();
    expect(root.dataset).toMatchObject({ step: "50", live: "true" });
    expect(button(root, "Replay the training")).not.toBeNull();
  });

  it("opens the group of a layer that a finding names", async () => {
    const finding = {
      code: "gradient.none",
      severity: "warning",
      subject: "body.b",
      message: "body.b never got a gradient.",
      remedy: "",
    };
    const traits = { live: live("done", 3), snapshot: snapshot(train(3, 4)), findings: [finding] };
    const root = await show(traits);
    await act(async () => button(root, "Close body (2 layers)")?.click());
    expect(row(root, "body.b")).toBeNull();
    const link = [...root.querySelectorAll("button")].find((b) => b.textContent === "Show");
    await act(async () => link?.click());
    expect(row(root, "body.b")?.getAttribute("aria-selected")).toBe("true");
  });

  it("shows names as text, whatever is in them", async () => {
    const name = "<img src=x onerror=alert(1)>";
    const layers = [{ name, kind: "<b>K</b>", size: 1, parameters: [] }];
    const root = await show({
      info: { ...info, source: "<i>S</i>", layers },
      live: live("done", 2),
      snapshot: snapshot(train(2, 1)),
    });
    expect(root.querySelector("img, b b, i i")).toBeNull();
    expect(row(root, name)?.querySelector("[title]")?.getAttribute("title")).toBe(name);
    expect(root.textContent).toContain("<i>S</i>");
  });

  it("shows the same history in a second view", async () => {
    await show();
    model.message(...append(train(12, 4), 0, 12, { live: live("live", 12) }));
    const second = await another();
    expect(second.dataset).toMatchObject({ samples: "12", step: "12", state: "live" });
  });

  it("leaves no listener and nothing on the page when it goes", async () => {
    const root = await show({ live: live("live", 3), snapshot: snapshot(train(3, 4)) });
    const before = model.listeners;
    const own = new AbortController();
    const second = await another(own.signal);
    expect(model.listeners).toBe(before);
    act(() => own.abort());
    expect(second.isConnected).toBe(false);
    expect(root.isConnected).toBe(true);
    act(() => closed.abort());
    expect(root.isConnected).toBe(false);
    act(() => gone.abort());
    expect(model.listeners).toBe(0);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});
