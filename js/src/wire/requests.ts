import type { Bytes } from "./arrays";
import { listen, type Model } from "./model";
import { Store } from "./store";

/** After this long without an answer a request counts as deferred. */
export const DEFER_AFTER_MS = 1000;
export const DEFERRED = "takes effect when the cell ends";
/** After this long without a word, from a kernel that says it has nothing to do, it is not there. */
export const SILENT_AFTER_MS = 5000;
export const SILENT = "no answer from the kernel: run the cell that made this widget again";

export interface Reply<R = Record<string, unknown>> {
  result: R;
  buffers: readonly Bytes[];
}

/** A request under way: what was asked, and why it has not been answered yet, if so. */
export interface Pending {
  id: string;
  name: string;
  sent: number;
  deferred: string | null;
}

/** The kernel's "no" to a request, one sentence. */
export class RequestError extends Error {}

interface Waiting extends Pending {
  resolve(reply: Reply): void;
  reject(error: Error): void;
  timers: ReturnType<typeof setTimeout>[];
}

interface Incoming {
  kind?: unknown;
  id?: unknown;
  ok?: unknown;
  result?: unknown;
  error?: unknown;
  reason?: unknown;
}

function newId(): string {
  // randomUUID exists in secure contexts only, and Jupyter is often served over plain http.
  if (typeof crypto !== "undefined" && "randomUUID" in crypto) return crypto.randomUUID();
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

/** Requests to the kernel: each gets exactly one reply, result or error. One client a model. */
export class Requests {
  /** What is under way, oldest first; watch it to show busy and deferred states. */
  readonly pending = new Store<readonly Pending[]>([]);
  readonly #model: Model;
  readonly #waiting = new Map<string, Waiting>();
  readonly #idle: () => boolean | undefined;
  #heard = 0;

  /** `idle`: whether the kernel says it has nothing to do, undefined where nobody can tell. */
  constructor(
    model: Model,
    signal: AbortSignal,
    idle: () => boolean | undefined = () => undefined,
  ) {
    this.#model = model;
    this.#idle = idle;
    listen(model, "msg:custom", this.#receive, signal);
    signal.addEventListener("abort", () => this.fail("the widget was closed"), { once: true });
  }

  request<R = Record<string, unknown>>(
    name: string,
    args: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<Reply<R>> {
    return new Promise<Reply<R>>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const id = newId();
      const timers = [
        setTimeout(() => this.#defer(id, DEFERRED), DEFER_AFTER_MS),
        setTimeout(() => this.#silent(id), SILENT_AFTER_MS),
      ];
      this.#waiting.set(id, {
        id,
        name,
        sent: Date.now(),
        deferred: null,
        timers,
        resolve: resolve as (reply: Reply) => void,
        reject,
      });
      signal?.addEventListener("abort", () => this.#settle(id)?.reject(signal.reason as Error), {
        once: true,
      });
      this.#changed();
      try {
        this.#model.send({ kind: "request", id, name, args });
      } catch (error) {
        this.#settle(id)?.reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Rejects everything that waits, as when the kernel died. */
  fail(reason: string): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new RequestError(reason));
  }

  #receive = (message: Incoming, buffers: readonly Bytes[] = []): void => {
    this.#heard = Date.now();
    if (typeof message?.id !== "string") return;
    if (message.kind === "deferred") {
      this.#defer(message.id, typeof message.reason === "string" ? message.reason : DEFERRED);
    } else if (message.kind === "reply") {
      const waiting = this.#settle(message.id);
      if (message.ok === true) {
        waiting?.resolve({ result: (message.result ?? {}) as Record<string, unknown>, buffers });
      } else {
        const error =
          typeof message.error === "string" ? message.error : "the kernel gave no reason";
        waiting?.reject(new RequestError(error));
      }
    }
  };

  #defer(id: string, reason: string): void {
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.deferred === reason) return;
    waiting.deferred = reason;
    this.#changed();
  }

  #silent(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting && this.#idle() === true && this.#heard < waiting.sent) this.#defer(id, SILENT);
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (!waiting) return undefined;
    for (const timer of waiting.timers) clearTimeout(timer);
    this.#waiting.delete(id);
    this.#changed();
    return waiting;
  }

  #changed(): void {
    this.pending.set(
      [...this.#waiting.values()].map(({ id, name, sent, deferred }) => ({
        id,
        name,
        sent,
        deferred,
      })),
    );
  }
}
