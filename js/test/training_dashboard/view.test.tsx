import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { inMessage } from "../../dev/pack";
import { vitals } from "../../dev/vitals";
import widget from "../../src/views/training_dashboard";
import { sparkOf } from "../../src/views/training_dashboard/spark";
import type { Bytes } from "../../src/wire";

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
const finding = (code: string, severity: string) => ({
  code,
  severity,
  subject: "x",
  message: `Something about ${code}.`,
  remedy: "",
  evidence: {},
});

let model: FakeModel;
let gone: AbortController;
let closed: AbortController;

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(40);
  });
}

async function show(traits: Record<string, unknown> = {}): Promise<HTMLElement> {
  const info = { title: "Training", source: "Net" };
  model = new FakeModel({ info, live: live("waiting", 0), findings: [], failures: [], ...traits });
  const definition = widget();
  definition.initialize({ model, signal: gone.signal });
  const el = document.createElement("div");
  document.body.append(el);
  await act(async () => definition.render({ model, el, signal: closed.signal }));
  await settle();
  return el.firstElementChild as HTMLElement;
}

const tile = (root: HTMLElement, name: string) =>
  root.querySelector<HTMLElement>(`[data-vital="${name}"]`);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "Date", "requestAnimationFrame", "cancelAnimationFrame"],
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

describe("TrainingDashboard", () => {
  it("claims no health before the first step", async () => {
    const root = await show({ snapshot: vitals(0) });
    for (const name of ["loss", "gradients", "activations", "weights"]) {
      expect(tile(root, name)?.textContent).toContain("waiting");
    }
    expect(root.textContent).not.toContain("no finding");
    expect(root.textContent).toContain("Waiting for the first optimizer.step()");
  });

  it("says of each pillar what was found, in words, and its newest number", async () => {
    const findings = [
      finding("gradient.none", "warning"),
      finding("gradient.vanishing", "critical"),
      finding("loss.plateau_early", "warning"),
    ];
    const root = await show({ live: live("live", 90), findings, snapshot: vitals(90) });
    expect(tile(root, "gradients")?.textContent).toContain("vanishing, no gradient");
    expect(tile(root, "gradients")?.dataset.severity).toBe("critical");
    expect(tile(root, "loss")?.textContent).toContain("early plateau");
    expect(tile(root, "weights")?.textContent).toContain("no finding");
    expect(tile(root, "activations")?.textContent).toContain("25.0 %");
    expect(root.textContent).toContain("3 findings");
  });

  it("does not claim health where nothing was recorded", async () => {
    const root = await show({ live: live("live", 90), snapshot: vitals(0) });
    expect(tile(root, "activations")?.textContent).toContain("no data");
  });

  it("follows the stream, and keeps what it has where a message brings nothing", async () => {
    const root = await show();
    const buffers: Bytes[] = [];
    const one = inMessage(Float64Array.from([7]), [1], buffers);
    const vital = { name: "loss", code: "loss.", label: "loss", steps: one, values: one };
    model.message({ kind: "append", live: live("live", 7), vitals: [vital] }, buffers);
    await settle();
    expect(tile(root, "loss")?.textContent).toContain("7.00");
    model.message({ kind: "append", live: live("live", 8) });
    await settle();
    expect(root.dataset.step).toBe("8");
    expect(tile(root, "loss")?.textContent).toContain("7.00");
  });

  it("brings the part of a pillar into view", async () => {
    const root = await show({ live: live("live", 9), snapshot: vitals(9) });
    const part = document.createElement("section");
    part.dataset.view = "gradient_flow";
    part.dataset.embedded = "true";
    part.scrollIntoView = vi.fn();
    root.parentElement?.parentElement?.append(part);
    await act(async () => tile(root, "gradients")?.click());
    expect(part.scrollIntoView).toHaveBeenCalledOnce();
    await act(async () => tile(root, "loss")?.click()); // not there: nothing happens
  });

  it("shows a message that cannot be read as an error", async () => {
    const root = await show();
    model.message({ kind: "append", vitals: [{ name: "loss" }] });
    await settle();
    expect(root.querySelector("[role=alert]")?.textContent).toContain("cannot be read");
  });

  it("leaves nothing behind", async () => {
    await show({ snapshot: vitals(9) });
    act(() => closed.abort());
    act(() => gone.abort());
    expect(model.listeners).toBe(0);
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a sparkline", () => {
  it("runs from the first step to the last and from the least to the most", () => {
    expect(sparkOf([1, 2, 5], [1, 3, 2])).toEqual({
      path: "M0.00 1.0000L25.00 0.0000L100.00 0.5000",
      broken: [],
      log: false,
    });
  });

  it("is broken where the number was not finite", () => {
    const { path, broken } = sparkOf([0, 1, 2], [1, Number.NaN, 2]);
    expect(path).toBe("M0.00 1.0000M100.00 0.0000");
    expect(broken).toEqual([0.5]);
  });

  it("is logarithmic over many decades", () => {
    expect(sparkOf([0, 1, 2], [1, 100, 10_000])).toMatchObject({
      log: true,
      path: "M0.00 1.0000L50.00 0.5000L100.00 0.0000",
    });
  });

  it("draws one point, a flat line, and nothing", () => {
    expect(sparkOf([3], [2]).path).toBe("M0.00 0.5000h1");
    expect(sparkOf([0, 1], [2, 2]).path).toBe("M0.00 0.5000L100.00 0.5000");
    expect(sparkOf([], []).path).toBe("");
    expect(sparkOf([0, 1], [Number.NaN, Number.NaN])).toMatchObject({ path: "", broken: [0, 1] });
  });
});
