import { act } from "preact/test-utils";
import { afterEach, beforeEach, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import type { WidgetDefinition } from "../../src/wire";

/** One widget on a page without a kernel, its clock in the test's hand. */
export class Page {
  model = new FakeModel();
  root: HTMLElement = document.body;
  #gone = new AbortController();

  async show(widget: () => WidgetDefinition, traits: Record<string, unknown>): Promise<void> {
    this.model = new FakeModel({ findings: [], failures: [], ...traits });
    const definition = widget();
    const el = document.createElement("div");
    document.body.append(el);
    definition.initialize({ model: this.model, signal: this.#gone.signal });
    await act(async () => definition.render({ model: this.model, el, signal: this.#gone.signal }));
    await this.settle();
    this.root = el.firstElementChild as HTMLElement;
  }

  async settle(ms = 40): Promise<void> {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(ms);
    });
  }

  row(layer: string): HTMLElement | null {
    return this.root.querySelector(`[data-layer="${layer}"]`);
  }

  async press(...names: string[]): Promise<void> {
    for (const key of names) {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      act(() => void this.root.querySelector("[role=treegrid]")?.dispatchEvent(event));
    }
    await this.settle();
  }

  async choose(text: string): Promise<void> {
    const found = [...this.root.querySelectorAll<HTMLElement>("[role=radio]")].find(
      (button) => button.textContent === text,
    );
    if (!found) throw new Error(`no choice ${text}`);
    await act(async () => found.click());
    await this.settle();
  }

  async select(within: string, value: string): Promise<void> {
    const select = this.root.querySelector(`${within} select`) as HTMLSelectElement;
    select.value = value;
    await act(async () => void select.dispatchEvent(new Event("change", { bubbles: true })));
    await this.settle();
  }

  asked(name: string): Record<string, unknown>[] {
    return this.model.sent.filter((request) => request.name === name).map(({ args }) => args);
  }

  close(): void {
    act(() => this.#gone.abort());
    document.body.replaceChildren();
  }
}

/** A page for each test of a file. */
export function usePage(): () => Page {
  let page: Page;
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
    page = new Page();
  });
  afterEach(() => {
    page.close();
    vi.useRealTimers();
  });
  return () => page;
}

export const live = (state: string, step: number) => ({
  state,
  step,
  samples: step,
  every: "auto",
  stride: 1,
  probe_share: 0.0123,
  controllable: true,
});
