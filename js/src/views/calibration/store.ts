/** What all views of one calibration share: the diagrams, and where the slider stands. */

import type { Context } from "../../ui";
import { type Failure, type Finding, readFailures, readFindings } from "../../ui";
import { type Link, listen, Store } from "../../wire";
import { type Curve, nearest, readCurves, same } from "./curves";

export interface Fitted {
  value: number;
  low: number | null;
  high: number | null;
  n: number;
}

export interface Info {
  title: string;
  source: string;
  samples: number;
  nonfinite: number;
  classes: string[];
  output: string;
  /** Why the temperature cannot be changed; empty where it can. */
  fixed: string;
  /** What the fitted temperature is worth, in words. */
  advice: string;
  in_sample: boolean;
  fitted: Fitted | null;
  note: string;
  /** Mean NLL of these samples as they are, and at the fitted temperature. */
  nll: [number, number];
}

export type Strategy = "equal_width" | "equal_mass";

export interface Settings {
  bins: number;
  strategy: Strategy;
  /** A class, -1 for the predicted class. */
  of: number;
  /** What the axes measure. */
  x: string;
  y: string;
}

/** Once the slider has rested so long, the kernel counts all samples and learns where it stands. */
const REST_MS = 150;
const GONE: ReadonlySet<Link> = new Set(["disconnected", "saved"]);

export class CalibrationStore {
  readonly info: Store<Info>;
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly settings: Store<Settings>;
  readonly error = new Store<string | null>(null);
  /** As the model is, and as the kernel shows it: all samples counted. */
  readonly exact: Store<Curve[]>;
  /** Over a grid of temperatures, for the slider. */
  readonly curves: Store<Curve[]>;
  /** Samples that the grid rests on, null for all. */
  rows: number | null = null;
  /** Where the slider stands. */
  readonly at: Store<number>;
  readonly moving = new Store(false);
  /** The bin that was clicked, and how many samples Python has selected. */
  readonly picked = new Store<{ bin: number; samples: number | null } | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    this.info = new Store(readInfo(model.get("info")));
    this.findings = new Store(readFindings(model.get("findings")));
    this.failures = new Store(readFailures(model.get("failures")));
    this.settings = new Store(readSettings(model.get("settings")));
    this.exact = new Store<Curve[]>([]);
    this.curves = new Store<Curve[]>([]);
    this.at = new Store(Number(model.get("temperature") ?? 1));
    this.read("diagrams");
    this.read("curves");
    const on = (trait: string, act: () => void) => listen(model, `change:${trait}`, act, signal);
    on("info", () => this.info.set(readInfo(model.get("info"))));
    on("findings", () => this.findings.set(readFindings(model.get("findings"))));
    on("failures", () => this.failures.set(readFailures(model.get("failures"))));
    on("settings", () => this.settings.set(readSettings(model.get("settings"))));
    on("diagrams", () => this.read("diagrams"));
    on("curves", () => this.read("curves"));
    on("temperature", () => {
      if (!this.moving.value) this.at.set(Number(model.get("temperature")));
    });
    signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
    this.wantCurves();
  }

  /** The diagram to draw, and the model as it is behind it. */
  get shown(): Curve | null {
    const [asItIs, now] = this.exact.value;
    const at = this.at.value;
    if (now && same(now.temperature, at)) return now;
    if (asItIs && same(asItIs.temperature, at)) return asItIs;
    const { value: curves } = this.curves;
    return curves[nearest(curves, at)] ?? now ?? null;
  }

  get asItIs(): Curve | null {
    return this.exact.value[0] ?? null;
  }

  /** Whether what is drawn rests on a part of the samples only. */
  get rough(): boolean {
    return this.rows !== null && !this.exact.value.includes(this.shown as Curve);
  }

  /** The slider moves: draw at once from the grid, and tell the kernel when it rests. */
  move(temperature: number): void {
    if (same(temperature, this.at.value)) return;
    this.at.set(temperature);
    this.moving.set(true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.rest(), REST_MS);
  }

  /** Other bins, or another class. */
  async choose(change: Partial<Settings>): Promise<void> {
    const { bins, strategy, of } = { ...this.settings.value, ...change };
    this.settings.update((old) => ({ ...old, ...change }));
    this.picked.set(null);
    try {
      await this.ask("settings", { bins, strategy, of });
      await this.wantCurves();
    } catch (error) {
      this.settings.set(readSettings(this.context.model.get("settings")));
      this.report(error);
    }
  }

  async pick(bin: number | null): Promise<void> {
    this.picked.set(bin === null ? null : { bin, samples: null });
    try {
      const { result } = await this.ask<{ selection: number }>("select", { bin });
      const now = this.picked.value;
      if (bin !== null && now?.bin === bin) this.picked.set({ bin, samples: result.selection });
    } catch (error) {
      this.report(error);
    }
  }

  dismiss(): void {
    this.error.set(null);
  }

  private async rest(): Promise<void> {
    const value = this.at.value;
    try {
      if (!GONE.has(this.context.connection.link.value)) await this.ask("temperature", { value });
    } catch (error) {
      this.report(error);
    }
    if (this.at.value === value) this.moving.set(false);
  }

  private async wantCurves(): Promise<void> {
    if (this.info.value.fixed || this.curves.value.length > 0) return;
    if (GONE.has(this.context.connection.link.value)) return;
    try {
      await this.ask("curves", {});
    } catch (error) {
      this.report(error);
    }
  }

  private ask<R = unknown>(name: string, args: Record<string, unknown>) {
    return this.context.requests.request<R>(name, args);
  }

  private report(error: unknown): void {
    if (this.context.signal.aborted) return;
    this.error.set(error instanceof Error ? error.message : String(error));
  }

  private read(trait: "diagrams" | "curves"): void {
    try {
      const value = this.context.model.get(trait) as { rows?: number | null } | undefined;
      if (trait === "curves") this.rows = value?.rows ?? null;
      (trait === "curves" ? this.curves : this.exact).set(readCurves(value));
    } catch (error) {
      this.report(error);
    }
  }
}

function readSettings(value: unknown): Settings {
  const given = (value ?? {}) as Partial<Settings>;
  return {
    bins: given.bins ?? 15,
    strategy: given.strategy ?? "equal_width",
    of: given.of ?? -1,
    x: given.x ?? "confidence",
    y: given.y ?? "share that is right",
  };
}

function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Calibration",
    source: info.source ?? "",
    samples: info.samples ?? 0,
    nonfinite: info.nonfinite ?? 0,
    classes: (info.classes ?? []).map(String),
    output: info.output ?? "",
    fixed: info.fixed ?? "",
    advice: info.advice ?? "",
    in_sample: info.in_sample ?? false,
    fitted: info.fitted ?? null,
    note: info.note ?? "",
    nll: info.nll ?? [Number.NaN, Number.NaN],
  };
}
