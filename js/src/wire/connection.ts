import { listen, type Model } from "./model";
import { Store } from "./store";

/**
 * Is somebody there? `live`: yes, as far as the page can tell. `offline`: the connection to a
 * kernel that may still run is down. `disconnected`: the kernel ended or was restarted.
 * `saved`: the page has no kernel at all (an exported notebook).
 */
export type Link = "live" | "offline" | "disconnected" | "saved";

interface Signal {
  connect(slot: (sender: unknown, value: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, value: unknown) => void): unknown;
}

type Loose = Record<string, unknown>;

const GONE = new Set(["restarting", "autorestarting", "terminating", "dead"]);
/** ipywidgets puts this on a view whose model has no live comm. */
const DISCONNECTED_CLASS = "jupyter-widgets-disconnected";

function loose(value: unknown): Loose | undefined {
  return typeof value === "object" && value !== null ? (value as Loose) : undefined;
}

function isSignal(value: unknown): value is Signal {
  const candidate = loose(value);
  return typeof candidate?.connect === "function" && typeof candidate.disconnect === "function";
}

/**
 * Watches the three signs that a kernel has gone, each of which covers cases the others miss:
 * the model's `comm_live_update` (restart from the menu), the session's kernel status (crash,
 * shutdown) and the class on a view (no kernel from the start). The first two are gone for good
 * as the new kernel knows no comm of the old one, until a message proves the opposite.
 */
export class Connection {
  readonly link = new Store<Link>("live");
  #everLive = false;
  readonly #session: Loose | undefined;

  constructor(model: Model, signal: AbortSignal) {
    const manager = loose(model.widget_manager);
    const session = loose(loose(manager?.context)?.sessionContext);
    this.#session = session ?? loose(manager?.kernel);
    listen(model, "comm_live_update", () => this.#lost(), signal);
    listen(model, "msg:custom", () => this.#alive(), signal);
    // `set_state` from the kernel, also right after a page reload.
    listen(model, "change:live", () => this.#alive(), signal);
    this.#follow("statusChanged", signal, (value) => {
      if (GONE.has(String(value))) this.#lost();
    });
    this.#follow("kernelChanged", signal, (value) => {
      // Shut down, or another kernel chosen. (From none to one is only the page starting.)
      if (loose(value)?.newValue == null || loose(value)?.oldValue != null) this.#lost();
    });
    this.#follow("connectionStatusChanged", signal, (value) => {
      if (value !== "connected" && this.link.value === "live") this.link.set("offline");
      else if (value === "connected" && this.link.value === "offline") this.link.set("live");
    });
  }

  /** Reads the mark that ipywidgets puts on a view of a model without a comm. */
  look(el: HTMLElement): void {
    const marked = el.closest(`.${DISCONNECTED_CLASS}`) !== null;
    if (marked && this.link.value === "live")
      this.link.set(this.#everLive ? "disconnected" : "saved");
    else if (!marked) this.#everLive = true;
  }

  /** Whether the kernel says that it is idle; undefined where the page cannot tell. */
  get idle(): boolean | undefined {
    const kernel = loose(loose(this.#session?.session)?.kernel) ?? this.#session;
    return typeof kernel?.status === "string" ? kernel.status === "idle" : undefined;
  }

  #alive(): void {
    this.#everLive = true;
    this.link.set("live");
  }

  #lost(): void {
    if (this.link.value !== "saved") this.link.set("disconnected");
  }

  #follow(name: string, signal: AbortSignal, slot: (value: unknown) => void): void {
    const source = this.#session?.[name];
    if (!isSignal(source) || signal.aborted) return;
    const handler = (_sender: unknown, value: unknown) => slot(value);
    source.connect(handler);
    signal.addEventListener("abort", () => source.disconnect(handler), { once: true });
  }
}
