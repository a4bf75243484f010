import { type Context, type Failure, type Finding, readFailures, readFindings } from "../ui";
import { type Bytes, listen, Store } from "../wire";
import { type Live, readLive, record } from "./live";

const RETRY_MS = 2000;

/** The two parts of every widget's `info`. */
export interface BaseInfo {
  title: string;
  source: string;
}

/**
 * What every view of one widget of a run shows. A subclass reads what the kernel sends: the whole
 * history in `reset`, what came since in `append`; and calls `start` when it is ready for them.
 */
export abstract class RunStore<I extends BaseInfo> {
  readonly info: Store<I>;
  readonly live: Store<Live>;
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly error = new Store<string | null>(null);
  protected readonly context: Context;
  #asking = false;
  #askAgainAt = 0;

  constructor(context: Context, readInfo: (value: unknown) => I) {
    const { model, signal } = context;
    this.context = context;
    this.info = new Store(readInfo(model.get("info")));
    this.live = new Store(readLive(model.get("live")));
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    const follow = (name: string, read: (value: unknown) => void) =>
      listen(model, `change:${name}`, () => read(model.get(name)), signal);
    follow("info", (value) => {
      this.info.set(readInfo(value));
      this.outlined();
    });
    follow("live", (value) => this.live.set(readLive(value)));
    follow("findings", (value) => this.findings.set(readFindings(value)));
    follow("failures", (value) => this.failures.set(readFailures(value)));
    follow("snapshot", (value) => this.#snapshot(value));
    listen(model, "msg:custom", this.#receive, signal);
  }

  /**
   * Replaces the history by a sketch of all of it. A sketch from the trait is for those who have
   * nothing or missed something: with `force` false it must not replace a fuller history.
   */
  protected abstract reset(
    value: Record<string, unknown>,
    buffers: readonly Bytes[],
    force: boolean,
  ): void;

  /** Adds what came since; false when something is missing in between: the rest is asked for. */
  protected abstract append(value: Record<string, unknown>, buffers: readonly Bytes[]): boolean;

  /** `info` has changed. */
  protected outlined(): void {}

  /** Call it at the end of the constructor. */
  protected start(): void {
    this.#snapshot(this.context.model.get("snapshot"));
  }

  /** Sends a command; its result or its error shows in the widget. */
  async command(name: string, args: Record<string, unknown> = {}): Promise<void> {
    try {
      const { result } = await this.context.requests.request<{ live?: unknown }>(name, args);
      if (result.live) this.live.set(readLive(result.live));
      this.error.set(null);
    } catch (error) {
      if (!this.context.signal.aborted) this.error.set(message(error));
    }
  }

  #snapshot(value: unknown): void {
    if (value === null || value === undefined) return;
    this.#attempt(() => this.reset(record(value), [], false));
  }

  #receive = (content: unknown, buffers: readonly Bytes[] = []): void => {
    const news = record(content);
    if (news.kind !== "append") return;
    if (news.live) this.live.set(readLive(news.live));
    this.#attempt(() => {
      if (!this.append(news, buffers)) void this.#ask();
    });
  };

  /** Something never arrived: ask for all of it, one request at a time. */
  async #ask(): Promise<void> {
    if (this.#asking || Date.now() < this.#askAgainAt) return;
    this.#asking = true;
    try {
      const { result, buffers } = await this.context.requests.request("snapshot");
      this.reset(result, buffers, true);
      if (result.live) this.live.set(readLive(result.live));
    } catch (error) {
      this.#askAgainAt = Date.now() + RETRY_MS;
      if (!this.context.signal.aborted) {
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
