/** A kernel that lives in the page: answers the explorer's requests from made-up data. */

import type { Filter, Place, Sample } from "../src/views/error_explorer/types";
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
  /** Rows of a table or texts instead of pictures. */
  kind?: "tabular" | "text";
  overlay?: boolean;
  /** Milliseconds before an answer. */
  delay?: number;
  names?: string[];
  /** Columns of metadata to filter by. */
  metadata?: boolean;
  baseline?: boolean;
}

const TEXT =
  "The room was clean and the staff friendly, but breakfast ended at nine and nobody told us. We " +
  "would come again, though not in winter: the heating made a noise like a ship's engine.\n\n";
const FEATURES =
  "age income balance tenure region products visits complaints score distance rooms deposit".split(
    " ",
  );
const FACETS = [
  {
    name: "sensor",
    labels: ["phone", "tablet", "scanner"],
    counts: [900, 600, 300],
    errors: [60, 40, 90],
  },
  {
    name: "age",
    labels: ["under 20", "20 to 35", "35 to 50", "over 50"],
    counts: [450, 450, 450, 450],
    errors: [45, 40, 50, 55],
  },
  {
    name: "writer",
    labels: Array.from({ length: 30 }, (_, i) => `writer ${i}`),
    counts: Array.from({ length: 30 }, () => 60),
    errors: Array.from({ length: 30 }, (_, i) => (i * 7) % 13),
  },
].map((facet) => ({ ...facet, more: 0 }));

const CLUSTERS = [
  "sensor = scanner, taken for 3",
  "writer = writer 12",
  "nothing in the metadata",
].map((text, i) => ({
  key: `cluster:${i}`,
  title: `Group ${i + 1}`,
  text,
  order: "most typical first",
  group: "cluster",
  count: 40 - 12 * i,
}));

export class ExplorerKernel extends FakeModel {
  private readonly names: string[];
  private readonly matrix: Int32Array;
  private chosen: number[] = [];

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
        output: `softmax of ${n} logits`,
        nonfinite: lost.reduce((a, b) => a + b, 0),
        pictures:
          options.kind !== undefined
            ? { kind: options.kind }
            : options.pictures === false
              ? { kind: "none", reason: "the inputs have shape (20,), which is no picture" }
              : { kind: "image", note: "pictures scaled from their own minimum to maximum" },
        overlay:
          options.overlay === false
            ? { available: false, reason: "No Grad-CAM: the model has no convolution" }
            : { available: true, layer: "layer4" },
        metadata: options.metadata === true,
        clusters: "by what the model makes of them just before it decides",
        baseline: options.baseline
          ? {
              sentence: "Better than the baseline, by more than noise.",
              numbers:
                "61 fixed, 24 broken, 110 wrong in both of 1800; accuracy +2.06 points " +
                "(95 % interval +1.06 to +3.06), p = 6.9e-05",
            }
          : null,
      },
      counted: {
        samples,
        accuracy: { value, low: value - 0.012, high: value + 0.011 },
        nonfinite_by_class: [...lost],
      },
      findings: [
        {
          code: "confusion.systematic",
          severity: "warning",
          subject: "8 -> 3",
          message: "12 of 180 true 8 were predicted as 3: 48 % of all errors of this class.",
          evidence: { true: n > 8 ? 8 : 0, predicted: n > 8 ? 3 : 1 },
          remedy: "Look at the samples of that cell: what do they share?",
        },
      ],
      failures: [],
      matrix: onTrait(this.matrix, [n, n]),
      change: options.baseline ? onTrait(this.changes(), [n, n]) : null,
      place: null,
      selected: { count: 0 },
      lists: this.lists(samples - right),
      filter: {},
      faceted: [],
      noted: [],
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
    if (name === "image")
      return { id: args.id, ...(await this.show(Number(args.id), buffers, 200)) };
    if (name === "select") return this.select(args);
    if (name === "note") {
      const others = (this.get("noted") as [number, string][]).filter(([row]) => row !== args.row);
      this.put("noted", args.text ? [...others, [args.row, args.text]] : others);
      return { notes: others.length + 1 };
    }
    if (name === "filter") {
      this.put("filter", args.filter as Filter);
      return {};
    }
    if (name === "facets") {
      this.put("faceted", FACETS);
      return { facets: FACETS.length };
    }
    if (name === "clusters") {
      const lists = this.get("lists") as { group: string; key: string }[];
      this.put("lists", [...lists.filter((list) => list.group !== "cluster"), ...CLUSTERS]);
      return { clusters: CLUSTERS.length };
    }
    if (name === "similar") return { list: "errors" };
    throw new Error(`no request ${name}`);
  }

  private select(args: Args): Args {
    let rows = this.chosen;
    if (args.place !== undefined) {
      rows = this.ids(args.place as Place);
      this.put("place", args.place);
    } else if (typeof args.row === "number") {
      rows = rows.filter((row) => row !== args.row);
      if (args.on) rows.push(args.row);
    } else {
      rows = [];
      if (args.close) this.put("place", null);
    }
    this.chosen = rows;
    this.put("selected", {
      count: rows.length,
      rows: onTrait(Int32Array.from(rows), [rows.length]),
    });
    return { selection: rows.length };
  }

  private lists(errors: number) {
    const entry = (key: string, title: string, text: string, count: number, order = "") => ({
      key,
      title,
      text,
      order,
      group: key === "errors" || key === "suspects" ? "" : "baseline",
      count,
    });
    const found = [
      entry(
        "suspects",
        "Label suspects",
        "The label may be wrong, not the model: look here first.",
        12,
        "most suspicious first",
      ),
      entry("errors", "All errors", "Most confidently wrong first.", errors),
    ];
    if (!this.options.baseline) return found;
    return [
      ...found,
      entry("broken", "Broken", "Right before the change, wrong now.", 24),
      entry("fixed", "Fixed", "Wrong before the change, right now.", 61),
      entry("still_wrong", "Still wrong", "Wrong before the change and after it.", 110),
    ];
  }

  private changes(): Int32Array {
    const n = this.options.classes;
    const before = counts(n, this.options.each ?? 180, 2);
    return this.matrix.map((now, i) => Math.round((now - (before[i] ?? 0)) / 2));
  }

  private total(place: Place): number {
    if (typeof place === "string") {
      const lists = this.get("lists") as { key: string; count: number }[];
      return lists.find((list) => list.key === place)?.count ?? 7;
    }
    const [t, p] = place;
    return p < 0 ? 3 : (this.matrix[t * this.options.classes + p] ?? 0);
  }

  private ids(place: Place): number[] {
    const [t, p] = typeof place === "string" ? [0, 1] : place;
    const first = (t * this.options.classes + Math.max(0, p)) * 1000;
    return Array.from({ length: this.total(place) }, (_, i) => first + i);
  }

  private async page(args: Args, buffers: Bytes[]): Promise<Args> {
    const place = args.place as Place;
    const offset = Number(args.offset);
    const ids = this.ids(place).slice(offset, offset + Number(args.limit));
    const suspects = place === "suspects";
    const cell = (id: number): [number, number] =>
      typeof place === "string"
        ? [id % this.options.classes, (id * 7 + 3) % this.options.classes]
        : [place[0], place[1]];
    const samples = ids.map((id, i) => {
      const made = this.sample(id, cell(id), offset + i, this.total(place));
      return suspects ? { ...made, suggested: made.pred } : made;
    });
    const shown = [];
    for (const id of ids) shown.push(await this.show(id, buffers, 4));
    return { place, order: "confidence", total: this.total(place), offset, samples, shown };
  }

  private sample(id: number, [t, p]: [number, number], rank: number, of: number): Sample {
    const next = random(id);
    if (p < 0) return { row: id, id, true: t, pred: -1, p_true: null, p_pred: null, top: [] };
    const sure = t === p ? 0.4 + rank * 0.003 : 0.99 - 0.5 * (rank / of);
    const rest = (1 - sure) * (0.3 + 0.6 * next());
    const others = this.names.map((_, c) => c).filter((c) => c !== t && c !== p);
    const top: [number, number][] = [[p, sure]];
    if (t !== p) top.push([t, rest]);
    for (const c of others.slice(0, 5 - top.length)) top.push([c, (1 - sure - rest) / 4]);
    top.sort((a, b) => b[1] - a[1]);
    const p_true = t === p ? sure : rest;
    return { row: id, id, true: t, pred: p, p_true, p_pred: sure, loss: -Math.log(p_true), top };
  }

  private async show(id: number, buffers: Bytes[], rows: number): Promise<Args> {
    const { kind } = this.options;
    if (kind === "text") return { text: TEXT.slice(id % 40).repeat(1 + (id % 3)) };
    if (kind === "tabular") {
      const next = random(id);
      const all = FEATURES.map((name) => {
        const at = next();
        return [name, (30 + 100 * at).toPrecision(4), name === "region" ? null : at];
      });
      return { table: all.slice(0, rows), more: Math.max(0, all.length - rows) };
    }
    if (this.options.pictures === false) return {};
    const side = this.options.side ?? 64;
    const t = Math.floor(id / 1000 / this.options.classes);
    buffers.push(await picture(this.names[t] ?? "?", id, side));
    return { image: { buffer: buffers.length - 1, mime: "image/png", width: side, height: side } };
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
