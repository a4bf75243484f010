/** What all views of one boundary share: the slice, what is shown of it, the chosen sample. */

import { type Context, type Failure, type Finding, readFailures, readFindings } from "../../ui";
import { type Link, listen, RequestError, Store } from "../../wire";
import { readSlice, type Slice } from "./slice";

export interface Info {
  title: string;
  source: string;
  samples: number;
  incomplete: number;
  drawn: number;
  classes: string[];
  features: { name: string; unfit: string }[];
  output: string;
  labelled: boolean;
}

export interface Settings {
  /** The class whose probability is drawn, or null: the predicted class. */
  shown: number | null;
  points: boolean;
  control: boolean;
}

const NO_KERNEL: Partial<Record<Link, string>> = {
  disconnected: "The kernel ended or was restarted: run the cell again to ask the model.",
  saved: "There is no kernel on this page: run the notebook to ask the model.",
};

export class Boundary {
  readonly info: Store<Info>;
  readonly slice: Store<Slice | null>;
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly error = new Store<string | null>(null);
  readonly settings = new Store<Settings>({ shown: null, points: true, control: false });
  /** Row of X of the chosen sample. */
  readonly chosen = new Store<number | null>(null);

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    this.info = new Store(readInfo(model.get("info")));
    this.slice = new Store<Slice | null>(null);
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    this.read();
    const on = (trait: string, act: () => void) => listen(model, `change:${trait}`, act, signal);
    on("slice", () => this.read());
    on("info", () => this.info.set(readInfo(model.get("info"))));
    on("findings", () => this.findings.set(readFindings(model.get("findings"))));
    on("failures", () => this.failures.set(readFailures(model.get("failures"))));
  }

  change(settings: Partial<Settings>): void {
    this.settings.update((old) => ({ ...old, ...settings }));
  }

  /** Asks the kernel for another slice; what is not given stays. */
  cut(wanted: { x?: number; y?: number; hold?: Slice["hold"] }): void {
    const now = this.slice.value;
    const gone = NO_KERNEL[this.context.connection.link.value];
    if (!now) return;
    if (gone) {
      this.error.set(gone);
      return;
    }
    const args = { x: now.x.number, y: now.y.number, hold: now.hold, ...wanted };
    if (args.x === args.y) {
      // The other axis takes the place that has become free.
      if (wanted.x === undefined) args.x = now.y.number;
      else args.y = now.x.number;
    }
    this.context.requests.request("cut", args).then(
      () => this.error.set(null),
      (error: unknown) => {
        if (!this.context.signal.aborted) {
          this.error.set(error instanceof RequestError ? error.message : String(error));
        }
      },
    );
  }

  private read(): void {
    try {
      this.slice.set(readSlice(this.context.model.get("slice")));
    } catch (error) {
      this.error.set(error instanceof Error ? error.message : String(error));
    }
  }
}

function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Decision boundary",
    source: info.source ?? "",
    samples: info.samples ?? 0,
    incomplete: info.incomplete ?? 0,
    drawn: info.drawn ?? 0,
    classes: (info.classes ?? []).map(String),
    features: info.features ?? [],
    output: info.output ?? "",
    labelled: info.labelled ?? false,
  };
}
