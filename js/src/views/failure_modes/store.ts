/** What all views of one set of failure modes share. */

import type { Context, Failure, Finding } from "../../ui";
import { readFailures, readFindings } from "../../ui";
import { type Link, listen, RequestError, Store } from "../../wire";

export interface Mode {
  name: string;
  n: number;
  errors: number;
  /** Of all errors; null where there are none. */
  share: number | null;
  samples_share: number;
  rate: number | null;
  low: number;
  high: number;
  lift: number | null;
  lift_low: number | null;
  /** Null where it has no end. */
  lift_high: number | null;
  concentrated: boolean;
  explained: string;
  /** It is told which samples are wrong, and so holds errors by its definition. */
  by_answer: boolean;
  /** What no category holds. */
  rest: boolean;
}

export interface Info {
  title: string;
  samples: number;
  errors: number;
  /** Errors in more than one category. */
  several: number;
  classes: string[];
  nonfinite: number;
}

export interface Detail {
  name: string;
  selected: number;
  /** [true, predicted, count]; predicted -1 is not finite. */
  confusions: [number, number, number][];
}

const NO_KERNEL: Partial<Record<Link, string>> = {
  disconnected: "The kernel ended or was restarted: run the cell again to open a category.",
  saved: "There is no kernel on this page: run the notebook to open a category.",
};

export class ModeStore {
  readonly info: Store<Info>;
  readonly modes: Store<Mode[]>;
  readonly overlap: Store<number[][]>;
  readonly chosen: Store<string | null>;
  readonly detail = new Store<Detail | null>(null);
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly error = new Store<string | null>(null);

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    const read = <T>(name: string, empty: T) => (model.get(name) ?? empty) as T;
    this.info = new Store(readInfo(model.get("info")));
    this.modes = new Store(read<Mode[]>("modes", []));
    this.overlap = new Store(read<number[][]>("overlap", []));
    this.chosen = new Store(read<string | null>("chosen", null));
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    listen(model, "change:chosen", () => this.chosenInPython(read("chosen", null)), signal);
    listen(
      model,
      "change:failures",
      () => this.failures.set(readFailures(model.get("failures"))),
      signal,
    );
  }

  choose(name: string | null): void {
    this.chosen.set(name);
    void this.fetch(name);
  }

  private async fetch(name: string | null): Promise<void> {
    this.detail.set(null);
    try {
      const gone = NO_KERNEL[this.context.connection.link.value];
      if (gone) throw new RequestError(gone);
      const { result } = await this.context.requests.request<Record<string, unknown>>("choose", {
        category: name,
      });
      if (name === null || this.chosen.value !== name) return;
      this.detail.set({
        name,
        selected: Number(result.selection),
        confusions: result.confusions as Detail["confusions"],
      });
    } catch (error) {
      if (!this.context.signal.aborted) {
        this.error.set(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Another view, or Python, chose a category; what was asked here comes first. */
  private chosenInPython(name: string | null): void {
    if (name === this.chosen.value || this.context.requests.pending.value.length > 0) return;
    if (name === null) {
      this.chosen.set(null);
      this.detail.set(null);
    } else this.choose(name);
  }
}

function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Failure modes",
    samples: info.samples ?? 0,
    errors: info.errors ?? 0,
    several: info.several ?? 0,
    classes: info.classes ?? [],
    nonfinite: info.nonfinite ?? 0,
  };
}
