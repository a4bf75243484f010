import { act } from "preact/test-utils";
import { afterEach, beforeEach, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { inMessage, onTrait } from "../../dev/pack";
import widget from "../../src/views/error_explorer";
import type { SampleId } from "../../src/views/error_explorer/types";
import type { Bytes } from "../../src/wire";

type Args = Record<string, unknown>;

export const DIGITS = ["zero", "one", "two"];
/** 40 of 100 true "zero" were predicted as "one". */
export const COUNTS = [60, 40, 0, 2, 98, 0, 0, 0, 100];

export function infoOf(classes: string[], more: Args = {}): Args {
  return {
    title: "Error explorer",
    source: "Net",
    samples: 300,
    classes,
    output: `softmax of ${classes.length} logits`,
    nonfinite: 0,
    pictures: { kind: "image" },
    overlay: { available: true, layer: "layer4" },
    ...more,
  };
}

export function countedOf(nonfinite_by_class: number[] = []): Args {
  return { samples: 300, accuracy: { value: 0.86, low: 0.816, high: 0.895 }, nonfinite_by_class };
}

/** The `selected` trait for these rows. */
export function chosen(rows: number[]): Args {
  return { count: rows.length, rows: onTrait(Int32Array.from(rows), [rows.length]) };
}

export class Stage {
  model = new FakeModel();
  root: HTMLElement = document.createElement("div");
  readonly urls = new Set<string>();
  readonly gone = new AbortController();
  readonly closed = new AbortController();
  definition = widget();

  async show(classes = DIGITS, counts: number[] = COUNTS, traits: Args = {}): Promise<HTMLElement> {
    const n = classes.length;
    this.model = new FakeModel({
      info: infoOf(classes),
      matrix: onTrait(Int32Array.from(counts), [n, n]),
      findings: [],
      failures: [],
      counted: countedOf(),
      place: null,
      selected: { count: 0 },
      lists: [],
      faceted: [],
      filter: {},
      noted: [],
      change: null,
      ...traits,
    });
    this.definition.initialize({ model: this.model, signal: this.gone.signal });
    this.root = await this.another(this.closed.signal);
    return this.root;
  }

  async another(signal: AbortSignal): Promise<HTMLElement> {
    const el = document.createElement("div");
    document.body.append(el);
    await act(async () => this.definition.render({ model: this.model, el, signal }));
    await this.settle();
    return el.firstElementChild as HTMLElement;
  }

  async settle(milliseconds = 200): Promise<void> {
    // Effects run at the end of act: a second round for the timers that they set.
    for (const part of [milliseconds, 150]) {
      await act(async () => {
        await vi.advanceTimersByTimeAsync(part);
      });
    }
  }

  find<E extends HTMLElement = HTMLElement>(selector: string): E | null {
    return this.root.querySelector<E>(selector);
  }

  all(selector: string): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>(selector)];
  }

  async click(selector: string): Promise<void> {
    const el = this.find(selector);
    if (!el) throw new Error(`nothing matches ${selector}`);
    await act(async () => el.click());
    await this.settle();
  }

  async press(selector: string, key: string): Promise<void> {
    await act(async () => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      this.find(selector)?.dispatchEvent(event);
    });
    await this.settle();
  }

  async scroll(top: number): Promise<void> {
    const el = this.find("[data-scroller]");
    if (!el) throw new Error("no gallery");
    await act(async () => {
      el.scrollTop = top;
      el.dispatchEvent(new Event("scroll"));
    });
    await this.settle();
  }

  asked(name: string): Args[] {
    return this.model.sent.filter((request) => request.name === name).map((r) => r.args);
  }

  async reply(name: string, result: Args, buffers: Bytes[] = []): Promise<void> {
    await act(async () => this.model.reply(result, buffers, name));
    await this.settle();
  }

  /** Answers the last "page" request as a cell of `total` samples with ids from 1000 would. */
  async page(total: number): Promise<void> {
    const { place, offset, limit } = this.asked("page").at(-1) as {
      place: number[] | string;
      offset: number;
      limit: number;
    };
    const cell = typeof place === "string" ? [0, 1] : place;
    const n = Math.max(0, Math.min(limit, total - offset));
    const samples = Array.from({ length: n }, (_, i) => ({
      row: 1000 + offset + i,
      id: 1000 + offset + i,
      true: cell[0],
      pred: cell[1],
      p_true: 0.1,
      p_pred: 0.9,
      top: [
        [cell[1], 0.9],
        [cell[0], 0.1],
      ],
    }));
    const buffers = samples.map((_, i) => new DataView(new Uint8Array([i, 1, 2]).buffer));
    const shown = samples.map((_, i) => ({
      image: { buffer: i, mime: "image/png", width: 8, height: 8 },
    }));
    await this.reply(
      "page",
      { place, order: "confidence", total, offset, samples, shown },
      buffers,
    );
  }

  /** Answers the last "overlay" request; the peaks are repeated as needed. */
  async maps(peaks: number[]): Promise<void> {
    const { ids, target } = this.asked("overlay").at(-1) as { ids: SampleId[]; target: string };
    const peak = Float32Array.from(ids, (_, i) => peaks[i % peaks.length] ?? 0);
    const values = Float32Array.from({ length: ids.length * 4 }, (_, i) =>
      i % 4 === 0 ? (peak[Math.floor(i / 4)] ?? 0) : 0,
    );
    const buffers: Bytes[] = [];
    const maps = inMessage(values, [ids.length, 2, 2], buffers);
    const result = { ids, target, layer: "layer4.1", maps };
    await this.reply(
      "overlay",
      { ...result, peak: inMessage(peak, [ids.length], buffers) },
      buffers,
    );
  }
}

/** Fake time, a page with a size, and counted picture URLs; all undone after each test. */
export function useStage(): () => Stage {
  let stage: Stage;
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: [
        "setTimeout",
        "clearTimeout",
        "Date",
        "requestAnimationFrame",
        "cancelAnimationFrame",
      ],
    });
    stage = new Stage();
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(500);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(450);
    let made = 0;
    vi.spyOn(URL, "createObjectURL").mockImplementation(() => {
      const url = `blob:${made++}`;
      stage.urls.add(url);
      return url;
    });
    vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => {
      stage.urls.delete(url);
    });
  });
  afterEach(async () => {
    await act(async () => {
      stage.closed.abort();
      stage.gone.abort();
    });
    document.body.replaceChildren();
    vi.useRealTimers();
  });
  return () => stage;
}
