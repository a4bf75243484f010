import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { lossAppend, losses, lossSnapshot } from "../../dev/losses";
import widget from "../../src/views/loss_curve";

const live = (state: string, step: number) => ({
  state,
  step,
  samples: step,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  budget: 0.03,
  controllable: true,
});
const finding = {
  code: "loss.diverging",
  severity: "critical",
  subject: "loss",
  message: "The loss rises since step 50.",
  remedy: "Lower the learning rate.",
  evidence: { from_step: 50 },
};

let model: FakeModel;
let gone: AbortController;
let closed: AbortController;
let definition: ReturnType<typeof widget>;

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(40);
  });
}

async function another(signal = closed.signal): Promise<HTMLElement> {
  const el = document.createElement("div");
  document.body.append(el);
  await act(async () => definition.render({ model, el, signal }));
  await settle();
  return el.firstElementChild as HTMLElement;
}

async function show(traits: Record<string, unknown> = {}): Promise<HTMLElement> {
  const info = { title: "Loss curve", source: "Net" };
  model = new FakeModel({ info, live: live("waiting", 0), findings: [], failures: [], ...traits });
  definition = widget();
  definition.initialize({ model, signal: gone.signal });
  return another();
}

const whole = (steps = 100, fault = "") => lossSnapshot(losses(steps, fault));
const press = (root: HTMLElement, key: string) =>
  act(() => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    root.querySelector(".lc-plot")?.dispatchEvent(event);
  });
const detail = (root: HTMLElement) => root.querySelector(".lc-detail")?.textContent ?? "";

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

describe("LossCurve", () => {
  it("says how to log a loss while there is none", async () => {
    const root = await show();
    expect(root.textContent).toContain("Waiting for the first loss");
    expect(root.textContent).toContain("run.log(loss=loss)");
    model.message({ kind: "append", live: live("live", 30), series: {} });
    await settle();
    expect(root.textContent).toContain("No loss yet after 30 steps");
    model.put("live", live("done", 30));
    await settle();
    expect(root.textContent).toContain("No loss was logged");
  });

  it("grows with the stream", async () => {
    const root = await show();
    const all = losses(100);
    model.message(...lossAppend(all, 0, 50, { live: live("live", 50) }));
    await settle();
    expect(root.dataset).toMatchObject({ state: "live", points: "60", step: "50" });
    model.message(...lossAppend(all, 50, 100, { live: live("live", 100) }));
    await settle();
    expect(root.dataset).toMatchObject({ points: "120", series: "loss train_loss val_loss" });
    expect(root.textContent).toContain("step 100");
    expect(root.textContent).toContain("1.2 % of the training time spent in probes");
  });

  it("asks once for everything when points are missing, and goes on from it", async () => {
    const root = await show();
    const all = losses(100);
    model.message(...lossAppend(all, 0, 20));
    model.message(...lossAppend(all, 40, 60));
    model.message(...lossAppend(all, 60, 80));
    expect(model.sent.map(({ name }) => name)).toEqual(["snapshot"]);
    const [message, buffers] = lossAppend(all, 0, 80);
    model.reply({ ...message, live: live("live", 80) }, [...buffers]);
    await settle();
    model.message(...lossAppend(all, 80, 100));
    await settle();
    expect(root.dataset.points).toBe("120");
    expect(model.sent).toHaveLength(1);
  });

  it("says that training above validation is no underfitting, where both are there", async () => {
    const both = await show({ snapshot: whole() });
    expect(both.querySelector(".nbd-note")?.textContent).toContain("train mode");
    const { loss } = losses(50);
    const one = await show({ snapshot: lossSnapshot({ loss: loss as [number[], number[]] }) });
    expect(one.querySelector(".nbd-note")).toBeNull();
  });

  it("shows another metric on request", async () => {
    const root = await show({ snapshot: whole() });
    const select = root.querySelector("select") as HTMLSelectElement;
    expect([...select.options].map(({ text }) => text)).toEqual(["loss", "accuracy"]);
    select.value = "accuracy";
    await act(async () => void select.dispatchEvent(new Event("change", { bubbles: true })));
    expect(root.dataset).toMatchObject({ metric: "accuracy", series: "val_accuracy" });
  });

  it("chooses the axis by the data until somebody chooses", async () => {
    const root = await show({ snapshot: whole(100, "diverging") });
    expect(root.dataset.scale).toBe("log");
    const [linear] = root.querySelectorAll<HTMLElement>("[role=radio]");
    await act(async () => linear?.click());
    expect(root.dataset.scale).toBe("linear");
  });

  it("puts the word of a finding where it happens, and tells it in full on a click", async () => {
    const root = await show({ snapshot: whole(), findings: [finding] });
    const label = root.querySelector<HTMLButtonElement>("[data-place]");
    expect(label?.textContent).toBe("diverging");
    expect(label?.dataset).toMatchObject({ place: "loss.diverging", from: "50", to: "100" });
    await act(async () => label?.click());
    expect(root.querySelector(".lc-chosen")?.textContent).toContain("Lower the learning rate.");
    press(root, "Escape");
    expect(root.querySelector(".lc-chosen")).toBeNull();
  });

  it("tells every number at a step, and the gap, by keyboard", async () => {
    const root = await show({ snapshot: whole() });
    press(root, "End");
    expect(detail(root)).toContain("step 100");
    for (const name of ["loss", "loss, smoothed", "train_loss", "val_loss", "gap"]) {
      expect([...root.querySelectorAll(".lc-detail th")].map((th) => th.textContent)).toContain(
        name,
      );
    }
    expect(detail(root)).toContain("(val_loss − train_loss)");
    press(root, "Home");
    expect(detail(root)).toContain("step 1");
    press(root, "Escape");
    expect(detail(root)).toBe("");
  });

  it("marks what is not finite and says so in the status", async () => {
    const root = await show({ snapshot: whole(100, "nan"), live: live("done", 100) });
    expect(root.querySelector("[aria-label=Legend]")?.textContent).toContain("NaN or infinite");
    expect(root.querySelector(".nbd-status")?.textContent).toContain("loss NaN");
  });

  it("turns smoothing off, and then speaks of none", async () => {
    const root = await show({ snapshot: whole() });
    const legend = () => root.querySelector("[aria-label=Legend]")?.textContent;
    expect(legend()).toContain("smoothed over");
    const slider = root.querySelector<HTMLInputElement>("input[type=range]");
    if (slider) slider.value = "0";
    await act(async () => void slider?.dispatchEvent(new Event("input", { bubbles: true })));
    expect(legend()).not.toContain("smoothed");
  });

  it("shows a message that cannot be read as an error", async () => {
    const root = await show();
    model.message({ kind: "append", series: { loss: { steps: 3 } } });
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("cannot be read");
  });

  it("shows names as text, whatever is in them", async () => {
    const name = "<img src=x onerror=alert(1)>";
    const root = await show({
      snapshot: lossSnapshot({
        [name]: [
          [1, 2],
          [3, 4],
        ],
      }),
    });
    expect(root.querySelector("img")).toBeNull();
    expect(root.textContent).toContain(name);
  });

  it("hides what its dashboard shows, and shows it again without one", async () => {
    const root = await show({ snapshot: whole(), embedded: true });
    expect(root.dataset.embedded).toBe("true");
    model.put("embedded", false);
    await settle();
    expect(root.dataset.embedded).toBe("false");
  });

  it("leaves no listener and nothing on the page when it goes", async () => {
    const root = await show({ snapshot: whole() });
    const before = model.listeners;
    const own = new AbortController();
    const second = await another(own.signal);
    expect(second.dataset.points).toBe(root.dataset.points);
    expect(model.listeners).toBe(before);
    act(() => own.abort());
    act(() => closed.abort());
    expect(root.isConnected).toBe(false);
    act(() => gone.abort());
    expect(model.listeners).toBe(0);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});
