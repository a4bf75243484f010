/** What all views of one slice explorer share. */

import type { Context, Failure, Finding } from "../../ui";
import { readFailures, readFindings } from "../../ui";
import { decodeAs, type Link, listen, type Reply, RequestError, Store } from "../../wire";
import type { Detail, Info, PairMap, SliceRow, Tab, Timeline } from "./types";

const NO_KERNEL: Partial<Record<Link, string>> = {
  disconnected: "The kernel ended or was restarted: run the cell again to explore the slices.",
  saved: "There is no kernel on this page: run the notebook to explore the slices.",
};

/** The slices of one list: of all columns, or of one. */
export interface Listing {
  column: string;
  rows: SliceRow[];
  total: number;
}

export class SliceStore {
  readonly info: Store<Info>;
  readonly listing: Store<Listing>;
  readonly timeline: Store<Timeline | null>;
  readonly pair = new Store<PairMap | null>(null);
  readonly chosen: Store<SliceRow | null>;
  readonly detail = new Store<Detail | null>(null);
  readonly tab = new Store<Tab>("slices");
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly error = new Store<string | null>(null);
  private asked: number | null = null;

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    this.info = new Store(readInfo(model.get("info")));
    this.listing = new Store(this.readAll());
    this.timeline = new Store((model.get("timeline") ?? null) as Timeline | null);
    this.chosen = new Store((model.get("chosen") ?? null) as SliceRow | null);
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    const on = (trait: string, act: () => void) => listen(model, `change:${trait}`, act, signal);
    on("info", () => {
      this.info.set(readInfo(model.get("info")));
      this.pair.set(null);
    });
    on("slices", () => this.listing.set(this.readAll()));
    on("timeline", () => this.timeline.set((model.get("timeline") ?? null) as Timeline | null));
    on("findings", () => this.findings.set(readFindings(model.get("findings"))));
    on("failures", () => this.failures.set(readFailures(model.get("failures"))));
    on("chosen", () => this.chosenInPython());
  }

  private readAll(): Listing {
    const rows = (this.context.model.get("slices") ?? []) as SliceRow[];
    return { column: "", rows, total: this.info?.value.total ?? rows.length };
  }

  private ask<R>(name: string, args: Record<string, unknown>): Promise<Reply<R>> {
    const gone = NO_KERNEL[this.context.connection.link.value];
    if (gone) return Promise.reject(new RequestError(gone));
    return this.context.requests.request<R>(name, args);
  }

  private report = (error: unknown): void => {
    if (this.context.signal.aborted) return;
    this.error.set(error instanceof Error ? error.message : String(error));
  };

  choose(row: SliceRow | null): void {
    this.chosen.set(row);
    void this.fetch(row?.at ?? null);
  }

  private async fetch(at: number | null): Promise<void> {
    this.asked = at;
    if (at === null || this.detail.value?.at !== at) this.detail.set(null);
    try {
      const { result, buffers } = await this.ask<Record<string, unknown>>("choose", { at });
      if (at === null || this.asked !== at) return;
      const read = (value: unknown) => (value ? decodeAs(value, "float64", buffers).data : null);
      this.detail.set({
        at,
        selected: Number(result.selection),
        rest: result.rest as Detail["rest"],
        confusions: result.confusions as Detail["confusions"],
        matrix: read(result.matrix),
        others: read(result.others),
      });
    } catch (error) {
      this.report(error);
    }
  }

  /** Another view, or Python, chose a slice. */
  private chosenInPython(): void {
    const row = (this.context.model.get("chosen") ?? null) as SliceRow | null;
    if (row?.at === this.chosen.value?.at) return;
    if (row === null && this.asked !== null && this.detail.value === null) return;
    this.chosen.set(row);
    if (row) void this.fetch(row.at);
    else this.detail.set(null);
  }

  /** Shows the slices of one column; "" all, worst first. */
  async column(name: string): Promise<void> {
    if (name === "") {
      this.listing.set(this.readAll());
      return;
    }
    try {
      const { result } = await this.ask<{ slices: SliceRow[]; total: number }>("column", {
        column: name,
      });
      this.listing.set({ column: name, rows: result.slices, total: result.total });
    } catch (error) {
      this.report(error);
    }
  }

  async crossed(columns: readonly [number, number]): Promise<void> {
    try {
      this.pair.set((await this.ask<PairMap>("pair", { columns: [...columns] })).result);
    } catch (error) {
      this.report(error);
    }
  }

  async time(column: string): Promise<void> {
    try {
      this.timeline.set((await this.ask<Timeline>("time", { column })).result);
    } catch (error) {
      this.report(error);
    }
  }

  async measure(metric: string): Promise<void> {
    try {
      await this.ask("measure", { metric });
    } catch (error) {
      this.report(error);
    }
  }

  /** The columns of the first weak pair. */
  weakPair(): [number, number] | null {
    const row = this.readAll().rows.find(({ weak, other }) => weak && other !== "");
    const number = (name: string) => this.info.value.columns.findIndex((c) => c.name === name);
    return row ? [number(row.column), number(row.other)] : null;
  }

  /** A slice by its title, from whatever list holds it. */
  find(title: string): SliceRow | undefined {
    return this.readAll().rows.find((row) => row.title === title);
  }
}

function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Slice explorer",
    samples: info.samples ?? 0,
    counted: info.counted ?? 0,
    classes: info.classes ?? [],
    metric: info.metric ?? { value: "error", name: "error rate" },
    metrics: info.metrics ?? [],
    overall: info.overall ?? { value: null, low: 0, high: 1 },
    columns: info.columns ?? [],
    pairs: info.pairs ?? [],
    total: info.total ?? 0,
    tested: info.tested ?? 0,
    min_support: info.min_support ?? 0,
    nonfinite: info.nonfinite ?? 0,
    skipped: info.skipped ?? [],
  };
}
