import { type BaseInfo, num, RunStore, record } from "../run";
import type { Context } from "../ui";
import { type Bytes, Store } from "../wire";
import { decodeRows, History } from "./history";

export interface Layer {
  name: string;
  kind: string;
  size: number;
  parameters: string[];
}

export interface Info extends BaseInfo {
  layers: Layer[];
  note: string | null;
}

export function readInfo(value: unknown): Info {
  const info = record(value);
  const layers = Array.isArray(info.layers) ? info.layers : [];
  return {
    title: String(info.title ?? ""),
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

/** What is known of the recording beside its rows. */
export interface Facts {
  /** Step of the newest histograms of each kind; 0 for none. */
  histograms: { weight: number; gradient: number };
  /** Samples at which both norms were seen, and those at which clipping changed one. */
  clipping: { seen: number; clipped: number };
}

function readFacts(value: Record<string, unknown>): Facts {
  const [histograms, clipping] = [record(value.histograms), record(value.clipping)];
  return {
    histograms: { weight: num(histograms.weight), gradient: num(histograms.gradient) },
    clipping: { seen: num(clipping.seen), clipped: num(clipping.clipped) },
  };
}

/** What every view of one widget of layers shows. */
export class LayersStore extends RunStore<Info> {
  /** Changes in place; watch the store to hear of it. */
  readonly history: Store<History>;
  readonly facts = new Store<Facts>(readFacts({}));
  /** The snapshot itself, for what only one of the widgets puts into it. */
  readonly extra = new Store<Record<string, unknown>>({});

  constructor(context: Context) {
    super(context, readInfo);
    this.history = new Store(new History(this.info.value.layers.length));
    this.start();
  }

  protected override outlined(): void {
    const layers = this.info.value.layers.length;
    if (layers !== this.history.value.layers) this.history.set(new History(layers));
  }

  protected override reset(
    value: Record<string, unknown>,
    buffers: readonly Bytes[],
    force: boolean,
  ): void {
    const history = this.history.value;
    const rows = decodeRows(value, history.layers, buffers);
    this.facts.set(readFacts(value));
    this.extra.set(value);
    const same = rows.total === history.next && rows.steps.at(-1) === history.newest;
    const known = rows.steps.length === 0 || (history.length > 0 && same);
    if (known && !force) return;
    history.reset(rows);
    this.history.notify();
  }

  protected override append(value: Record<string, unknown>, buffers: readonly Bytes[]): boolean {
    const history = this.history.value;
    const added = history.append(decodeRows(value, history.layers, buffers));
    if (added) {
      this.facts.set(readFacts(value));
      this.history.notify();
    }
    return added;
  }
}
