/** What all views of one explorer share: its traits, the open cell, the selection, the maps. */

import type { Context } from "../../ui";
import { type Failure, type Finding, readFailures, readFindings } from "../../ui";
import { decodeArray, type Link, listen, RequestError, Store } from "../../wire";
import { type Confusion, confusion } from "./confusion";
import type { Shown } from "./matrix_paint";
import type { Ordering } from "./ordering";
import { Overlays } from "./overlays";
import { Selection } from "./selection";
import {
  type Ask,
  type Cell,
  type Info,
  type SampleId,
  type Scale,
  sameCell,
  type Target,
} from "./types";

export interface Settings {
  shown: Shown;
  ordering: Ordering;
  overlay: boolean;
  opacity: number;
  target: Target;
  scale: Scale;
}

const NO_KERNEL: Partial<Record<Link, string>> = {
  disconnected: "The kernel ended or was restarted: run the cell again to explore the samples.",
  saved: "There is no kernel on this page: run the notebook to explore the samples.",
};

export class Explorer {
  readonly info: Store<Info>;
  readonly matrix = new Store<Confusion | null>(null);
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly cell: Store<Cell | null>;
  readonly error = new Store<string | null>(null);
  readonly settings = new Store<Settings>({
    shown: "counts",
    ordering: "label",
    overlay: false,
    opacity: 0.6,
    target: "predicted",
    scale: "shared",
  });
  readonly selection: Store<Selection>;
  readonly overlays: Store<Overlays>;

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    this.info = new Store(readInfo(model.get("info")));
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    this.cell = new Store(readCell(model.get("cell")));
    const readIds = () => (model.get("selection") ?? []) as SampleId[];
    this.selection = new Store(
      new Selection(this.ask, readIds, () => this.selection?.notify(), this.report),
    );
    this.overlays = new Store(new Overlays(this.ask, () => this.overlays.notify(), this.report));
    this.readMatrix();
    const on = (trait: string, act: () => void) => listen(model, `change:${trait}`, act, signal);
    on("info", () => {
      this.info.set(readInfo(model.get("info")));
      this.readMatrix();
    });
    on("matrix", () => this.readMatrix());
    on("findings", () => this.findings.set(readFindings(model.get("findings"))));
    on("failures", () => this.failures.set(readFailures(model.get("failures"))));
    on("cell", () => this.cellTraitChanged());
    on("selection", () => this.selection.value.traitChanged());
    signal.addEventListener("abort", () => this.overlays.value.close(), { once: true });
  }

  ask: Ask = (name, args) => {
    const gone = NO_KERNEL[this.context.connection.link.value];
    if (gone) return Promise.reject(new RequestError(gone));
    return this.context.requests.request(name, args);
  };

  report = (error: unknown): void => {
    if (this.context.signal.aborted) return;
    this.error.set(error instanceof Error ? error.message : String(error));
  };

  /** Shows a cell's samples here and makes them the selection in Python. */
  open(cell: Cell): void {
    if (!sameCell(cell, this.cell.value)) this.cell.set(cell);
    this.selection.value.selectCell(cell, this.matrix.value?.count(cell) ?? 0);
  }

  clear(): void {
    this.cell.set(null);
    this.selection.value.clear();
  }

  change(settings: Partial<Settings>): void {
    this.settings.update((old) => ({ ...old, ...settings }));
  }

  dismiss(): void {
    this.error.set(null);
  }

  /** Another view of this explorer, or Python, opened a cell. What was asked here comes first. */
  private cellTraitChanged(): void {
    if (this.selection.value.pending) return;
    const cell = readCell(this.context.model.get("cell"));
    if (!sameCell(cell, this.cell.value)) this.cell.set(cell);
  }

  private readMatrix(): void {
    const { model } = this.context;
    const size = this.info.value.classes.length;
    try {
      const raw = model.get("matrix");
      if (raw === null || raw === undefined) return;
      const lost = this.info.value.nonfinite_by_class;
      this.matrix.set(confusion(decodeArray(raw).data, size, lost));
    } catch (error) {
      this.report(error);
    }
  }
}

function readCell(value: unknown): Cell | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  return [Number(value[0]), Number(value[1])];
}

function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Error explorer",
    source: info.source ?? "",
    samples: info.samples ?? 0,
    classes: (info.classes ?? []).map(String),
    accuracy: info.accuracy ?? null,
    output: info.output ?? "",
    nonfinite: info.nonfinite ?? 0,
    nonfinite_by_class: info.nonfinite_by_class ?? [],
    pictures: info.pictures ?? { kind: "none" },
    overlay: info.overlay ?? { available: false },
  };
}
