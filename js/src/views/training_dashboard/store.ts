import { type BaseInfo, RunStore, record } from "../../run";
import type { Context } from "../../ui";
import { type Bytes, DecodeError, decodeAs, Store } from "../../wire";

/** One pillar of a training's health: a key number over time. */
export interface Vital {
  name: string;
  /** Prefix of its findings: "loss." */
  code: string;
  label: string;
  steps: Float64Array;
  /** NaN where the number was not finite. */
  values: Float64Array;
}

function readInfo(value: unknown): BaseInfo {
  const info = record(value);
  return { title: String(info.title ?? "Training"), source: String(info.source ?? "") };
}

export function decodeVitals(value: unknown, buffers: readonly Bytes[]): Vital[] {
  const vitals = record(value).vitals;
  if (!Array.isArray(vitals)) return [];
  return vitals.map(record).map((vital) => {
    const steps = decodeAs(vital.steps, "float64", buffers).data;
    const values = decodeAs(vital.values, "float64", buffers).data;
    if (steps.length !== values.length) throw new DecodeError("steps and values differ in length");
    const text = (name: string) => String(vital[name] ?? "");
    return { name: text("name"), code: text("code"), label: text("label"), steps, values };
  });
}

export class VitalsStore extends RunStore<BaseInfo> {
  readonly vitals = new Store<readonly Vital[]>([]);

  constructor(context: Context) {
    super(context, readInfo);
    this.start();
  }

  protected override reset(value: Record<string, unknown>, buffers: readonly Bytes[]): void {
    if (value.vitals) this.vitals.set(decodeVitals(value, buffers));
  }

  /** Every message tells all of it, or nothing new. */
  protected override append(value: Record<string, unknown>, buffers: readonly Bytes[]): boolean {
    this.reset(value, buffers);
    return true;
  }
}
