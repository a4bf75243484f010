/** A kernel that lives in the page: answers the explorer's requests from made-up data. */

import type { Sample } from "../src/views/error_explorer/types";
import type { Bytes } from "../src/wire";
import { classNames, counts, map, picture, random } from "./explorer_data";
import { FakeModel } from "./fake_model";
import { inMessage, onTrait } from "./pack";

type Args = Record<string, unknown>;

export interface Options {
  classes: number;
  each?: number;
  side?: number;
  nonfinite?: boolean;
  pictures?: boolean;
  overlay?: boolean;
  /** Milliseconds before an answer. */
  delay?: number;
  names?: string[];
}

export class ExplorerKernel extends FakeModel {
  private readonly names: string[];
  private readonly matrix: Int32Array;

  constructor(private readonly options: Options) {
    super();
    const n = options.classes;
    this.names = options.names ?? classNames(n);
    this.matrix = counts(n, options.each ?? 180);
    const lost = new Int32Array(n).map((_, i) => (options.nonfinite && i % 4 === 1 ? 3 : 0));
    const samples = [...this.matrix, ...lost].reduce((a, b) => a + b, 0);
    let right = 0;
    for (let i = 0; i < n; i++) right += this.matrix[i * n + i] ?? 0;
    const value = right / samples;
    const traits = {
      info: {
        title: "Error explorer",
        source: "ResNet",
        samples,
        classes: this.names,
        accuracy: { value, low: value - 0.012, high: value + 0.011 },
        output: `softmax of ${n} logits`,
        nonfinite: lost.reduce((a, b) => a + b, 0),
        nonfinite_by_class: [...lost],
        pictures:
          options.pictures === false
            ? { kind: "none", reason: "the inputs have shape (20,), which is no picture" }
            : { kind: "image", note: "pictures scaled from their own minimum to maximum" },
        overlay:
          options.overlay === false
            ? { available: false, reason: "No Grad-CAM: the model has no convolution" }
            : { available: true, layer: "layer4" },
      },
      findings: [
        {
          code: "confusion.systematic",
          severity: "warning",
          subject: "8",
          message: "12 of 180 true 8 were predicted as 3: 48 % of all errors of this class.",
          evidence: {},
          remedy: "Look at the samples of that cell: what do they share?",
        },
      ],
      failures: [],
      matrix: onTrait(this.matrix, [n, n]),
      cell: null,
      selection: [],
    };
    for (const [name, value] of Object.entries(traits)) this.put(name, value);
  }

  override send(content: unknown): void {
    super.send(content);
    const { id, name, args } = content as { id: string; name: string; args: Args };
    void this.answer(id, name, args);
  }

  private async answer(id: string, name: string, args: Args): Promise<void> {
    await new Promise((done) => setTimeout(done, this.options.delay ?? 60));
    const buffers: Bytes[] = [];
    const result = await this.result(name, args, buffers);
    this.message({ kind: "reply", id, ok: true, result }, buffers);
  }

  private async result(name: string, args: Args, buffers: Bytes[]): Promise<Args> {
    if (name === "page") return this.page(args, buffers);
    if (name === "overlay") return this.overlay(args, buffers);
    if (name === "image") return { id: args.id, image: await this.image(Number(args.id), buffers) };
    if (name === "select") {
      const ids = (args.ids as number[] | undefined) ?? this.ids(args.cell as [number, number]);
      this.put("selection", ids);
      if (args.cell) this.put("cell", args.cell);
      return { selection: ids.length };
    }
    throw new Error(`no request ${name}`);
  }

  private total([t, p]: [number, number]): number {
    return p < 0 ? 3 : (this.matrix[t * this.options.classes + p] ?? 0);
  }

  private ids(cell: [number, number]): number[] {
    const first = (cell[0] * this.options.classes + Math.max(0, cell[1])) * 1000;
    return Array.from({ length: this.total(cell) }, (_, i) => first + i);
  }

  private async page(args: Args, buffers: Bytes[]): Promise<Args> {
    const cell = args.cell as [number, number];
    const offset = Number(args.offset);
    const ids = this.ids(cell).slice(offset, offset + Number(args.limit));
    const samples = ids.map((id, i) => this.sample(id, cell, offset + i));
    const images = [];
    for (const id of ids) images.push(await this.image(id, buffers));
    return { cell, total: this.total(cell), offset, samples, images };
  }

  private sample(id: number, [t, p]: [number, number], rank: number): Sample {
    const next = random(id);
    if (p < 0) return { id, true: t, pred: -1, p_true: null, p_pred: null, top: [] };
    const sure = t === p ? 0.4 + rank * 0.003 : 0.99 - 0.5 * (rank / this.total([t, p]));
    const rest = (1 - sure) * (0.3 + 0.6 * next());
    const others = this.names.map((_, c) => c).filter((c) => c !== t && c !== p);
    const top: [number, number][] = [[p, sure]];
    if (t !== p) top.push([t, rest]);
    for (const c of others.slice(0, 5 - top.length)) top.push([c, (1 - sure - rest) / 4]);
    top.sort((a, b) => b[1] - a[1]);
    return { id, true: t, pred: p, p_true: t === p ? sure : rest, p_pred: sure, top };
  }

  private async image(id: number, buffers: Bytes[]): Promise<Args | null> {
    if (this.options.pictures === false) return null;
    const side = this.options.side ?? 64;
    const t = Math.floor(id / 1000 / this.options.classes);
    buffers.push(await picture(this.names[t] ?? "?", id, side));
    return { buffer: buffers.length - 1, mime: "image/png", width: side, height: side };
  }

  private overlay(args: Args, buffers: Bytes[]): Args {
    const ids = args.ids as number[];
    const side = 4;
    const maps = new Float32Array(ids.length * side * side);
    const peak = new Float32Array(ids.length);
    ids.forEach((id, i) => {
      const made = map(id + (args.target === "true" ? 5000 : 0), side);
      maps.set(made.values, i * side * side);
      peak[i] = made.peak;
    });
    return {
      ids,
      target: args.target,
      layer: "layer4",
      maps: inMessage(maps, [ids.length, side, side], buffers),
      peak: inMessage(peak, [ids.length], buffers),
    };
  }
}
