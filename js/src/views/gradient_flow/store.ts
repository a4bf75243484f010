import { type Context, type Failure, type Finding, readFailures, readFindings } from "../../ui";
import { type Bytes, listen, Store } from "../../wire";
import { decodeRows, History } from "./history";

export interface Layer {
  name: string;
  kind: string;
  size: number;
  parameters: string[];
}

export interface Info {
  title: string;
  source: string;
  layers: Layer[];
  note: string | null;
}

export type Every = "auto" | number;

export interface Live {
  state: "waiting" | "live" | "paused" | "done" | "failed";
  step: number;
  samples: number;
  every: Every;
  stride: number;
  probe_share: number;
  controllable: boolean;
}

const STATES = ["waiting", "live", "paused", "done", "failed"] as const;

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function num(value: unknown, fallback = 0): number {
  return typeof value === "number" && Number.isFinite(value) ? value : fallback;
}

export function readInfo(value: unknown): Info {
  const info = record(value);
  const layers = Array.isArray(info.layers) ? info.layers : [];
  return {
    title: String(info.title ?? "Gradient flow"),
    source: String(info.source ?? ""),
    note: typeof info.note === "string" ? info.note : null,
    layers: layers.map(record).map((layer) => ({
      name: String(layer.name ?? ""),
      kind: String(layer.kind ?? ""),
      size: num(layer.size),
      parameters: Array.isArray(layer.parameters) ? layer.parameters.map(String) : [],
    })),
  };
}

export function readLive(value: unknown): Live {
  const live = record(value);
  return {
    state: STATES.find((state) => state === live.state) ?? "waiting",
    step: num(live.step),
    samples: num(live.samples),
    every: live.every === "auto" ? "auto" : num(live.every, 1),
    stride: num(live.stride, 1),
    probe_share: num(live.probe_share, Number.NaN),
    controllable: live.controllable !== false,
  };
}

const RETRY_MS = 2000;

/** What every view of one widget shows. */
export class GradientStore {
  readonly info: Store<Info>;
  readonly live: Store<Live>;
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  /** Changes in place; watch the store to hear of it. */
  readonly history: Store<History>;
  readonly error = new Store<string | null>(null);
  readonly #context: Context;
  #asking = false;
  #askAgainAt = 0;

  constructor(context: Context) {
    const { model, signal } = context;
    this.#context = context;
    this.info = new Store(readInfo(model.get("info")));
    this.live = new Store(readLive(model.get("live")));
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    this.history = new Store(new History(this.info.value.layers.length));
    this.#snapshot(model.get("snapshot"));
    const follow = (name: string, read: (value: unknown) => void) =>
      listen(model, `change:${name}`, () => read(model.get(name)), signal);
    follow("info", (value) => {
      this.info.set(readInfo(value));
      const layers = this.info.value.layers.length;
      if (layers !== this.history.value.layers) this.history.set(new History(layers));
    });
    follow("live", (value) => this.live.set(readLive(value)));
    follow("findings", (value) => this.findings.set(readFindings(value)));
    follow("failures", (value) => this.failures.set(readFailures(value)));
    follow("snapshot", (value) => this.#snapshot(value));
    listen(model, "msg:custom", this.#receive, signal);
  }

  /** Sends a command; its result or its error shows in the widget. */
  async command(name: string, args: Record<string, unknown> = {}): Promise<void> {
    try {
      const { result } = await this.#context.requests.request<{ live?: unknown }>(name, args);
      if (result.live) this.live.set(readLive(result.live));
      this.error.set(null);
    } catch (error) {
      if (!this.#context.signal.aborted) this.error.set(message(error));
    }
  }

  /** The trait is a sketch for those who have nothing: it never replaces a fuller history. */
  #snapshot(value: unknown): void {
    if (value === null || value === undefined) return;
    const history = this.history.value;
    this.#attempt(() => {
      const rows = decodeRows(value, history.layers);
      if (rows.steps.length === 0 || (history.length > 0 && rows.total === history.next)) return;
      history.reset(rows);
      this.history.notify();
    });
  }

  #receive = (content: unknown, buffers: readonly Bytes[] = []): void => {
    const content_ = record(content);
    if (content_.kind !== "append") return;
    if (content_.live) this.live.set(readLive(content_.live));
    if (content_.findings) this.findings.set(readFindings(content_.findings));
    const history = this.history.value;
    this.#attempt(() => {
      const rows = decodeRows(content_, history.layers, buffers);
      if (history.append(rows)) this.history.notify();
      else void this.#ask();
    });
  };

  /** Some rows never arrived: ask for all of them, one request at a time. */
  async #ask(): Promise<void> {
    if (this.#asking || Date.now() < this.#askAgainAt) return;
    this.#asking = true;
    try {
      const { result, buffers } = await this.#context.requests.request("snapshot");
      const history = this.history.value;
      history.reset(decodeRows(result, history.layers, buffers));
      if (result.live) this.live.set(readLive(result.live));
      this.history.notify();
    } catch (error) {
      this.#askAgainAt = Date.now() + RETRY_MS;
      if (!this.#context.signal.aborted) {
        this.error.set(`Part of the history is missing: ${message(error)}`);
      }
    } finally {
      this.#asking = false;
    }
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.error.set(`What the kernel sent cannot be read: ${message(error)}`);
    }
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
