import type { Bytes, Model } from "../src/wire";

type Callback = (...args: never[]) => void;

/** An anywidget model without a kernel: for the tests and for the page in this folder. */
export class FakeModel implements Model {
  widget_manager: unknown;
  readonly sent: { kind: string; id: string; name: string; args: Record<string, unknown> }[] = [];
  readonly #traits: Record<string, unknown>;
  readonly #listeners = new Map<string, Set<Callback>>();

  constructor(traits: Record<string, unknown> = {}, manager?: unknown) {
    this.#traits = traits;
    this.widget_manager = manager;
  }

  get(name: string): unknown {
    return this.#traits[name];
  }

  send(content: unknown): void {
    this.sent.push(content as (typeof this.sent)[0]);
  }

  on(name: string, callback: Callback): void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(callback));
  }

  off(name: string, callback: Callback): void {
    this.#listeners.get(name)?.delete(callback);
  }

  /** How many callbacks are registered, over all events. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  trigger(name: string, ...args: unknown[]): void {
    for (const callback of [...(this.#listeners.get(name) ?? [])]) callback(...(args as never[]));
  }

  /** The kernel changes a trait. */
  put(name: string, value: unknown): void {
    this.#traits[name] = value;
    this.trigger(`change:${name}`);
  }

  /** The kernel sends a message. */
  message(content: unknown, buffers: Bytes[] = []): void {
    this.trigger("msg:custom", content, buffers);
  }

  /** The kernel answers the last request (of this name). */
  reply(result: unknown, buffers: Bytes[] = [], name?: string): void {
    const asked = this.sent.filter((request) => !name || request.name === name).at(-1);
    this.message({ kind: "reply", id: asked?.id, ok: true, result }, buffers);
  }

  refuse(error: string): void {
    this.message({ kind: "reply", id: this.sent.at(-1)?.id, ok: false, error });
  }
}
