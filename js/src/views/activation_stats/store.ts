import { type BaseInfo, num, RunStore, record } from "../../run";
import type { Context } from "../../ui";
import { type Bytes, Store } from "../../wire";
import { decodeRows, Looks } from "./looks";
import { decodeSummary, type Summary } from "./units";

export interface Activation {
  name: string;
  kind: string;
  units: number;
  /** "unit" or "channel". */
  word: string;
  /** Judged by how long its units stay at an end, and not by whether they fire. */
  bounded: boolean;
  /** Has an end, so that saturation has a meaning. */
  ends: boolean;
  /** An exact zero means off. */
  rectifies: boolean;
}

export interface Info extends BaseInfo {
  layers: Activation[];
  /** What could not be seen, and why. */
  notes: string[];
}

export function readInfo(value: unknown): Info {
  const info = record(value);
  const layers = Array.isArray(info.layers) ? info.layers : [];
  return {
    title: String(info.title ?? "Activations"),
    source: String(info.source ?? ""),
    notes: Array.isArray(info.notes) ? info.notes.map(String) : [],
    layers: layers.map(record).map((one) => ({
      name: String(one.name ?? ""),
      kind: String(one.kind ?? ""),
      units: num(one.units),
      word: String(one.word ?? "unit"),
      bounded: one.bounded === true,
      ends: Array.isArray(one.bounds),
      rectifies: one.rectifies === true,
    })),
  };
}

/** What every view of one widget shows. */
export class ActivationStore extends RunStore<Info> {
  /** Changes in place; watch the store to hear of it. */
  readonly looks: Store<Looks>;
  readonly summary = new Store<Summary | null>(null);
  #part = -1;

  constructor(context: Context) {
    super(context, readInfo);
    this.looks = new Store(new Looks(this.info.value.layers.length));
    this.start();
  }

  protected override outlined(): void {
    const count = this.info.value.layers.length;
    if (count === this.looks.value.activations) return;
    this.looks.set(new Looks(count));
    this.summary.set(null);
    this.#part = -1;
  }

  protected override reset(
    value: Record<string, unknown>,
    buffers: readonly Bytes[],
    force: boolean,
  ): void {
    const looks = this.looks.value;
    const rows = decodeRows(value, looks.activations, buffers);
    this.#summary(value, buffers);
    const part = num(value.part);
    const known = rows.steps.length === 0 || (looks.length > 0 && part === this.#part);
    this.#part = part;
    if (known && !force) return;
    looks.reset(rows);
    this.looks.notify();
  }

  protected override append(value: Record<string, unknown>, buffers: readonly Bytes[]): boolean {
    if (value.start === 0) {
      this.reset(value, buffers, true);
      return true;
    }
    const part = num(value.part);
    if (part <= this.#part) return true; // a snapshot has brought it already
    if (part !== this.#part + 1) return false;
    const looks = this.looks.value;
    looks.add(decodeRows(value, looks.activations, buffers));
    this.#part = part;
    this.#summary(value, buffers);
    this.looks.notify();
    return true;
  }

  #summary(value: Record<string, unknown>, buffers: readonly Bytes[]): void {
    if (!value.units) return;
    const count = this.looks.value.activations;
    this.summary.set(decodeSummary(record(value.units), count, buffers));
  }
}
