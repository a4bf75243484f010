/** The samples of one place, asked for a page at a time and let go when far off screen. */

import type { Bytes } from "../../wire";
import { PAGE, pagesOf, type Span } from "./paging";
import type { Ask, PageResult, PictureRef, Place, Sample, SampleId, Shown } from "./types";

/** Pages kept around what is on screen; a page is some 24 small pictures. */
const KEPT = 24;
const AT_ONCE = 2;

export interface Picture {
  url: string;
  width: number;
  height: number;
}

export interface Loaded {
  sample: Sample;
  picture: Picture | null;
  shown: Shown;
}

export function pictureUrl(
  ref: PictureRef | null | undefined,
  buffers: readonly Bytes[],
): Picture | null {
  if (!ref) return null;
  const bytes = buffers[ref.buffer];
  if (bytes === undefined) {
    throw new Error(`A picture refers to buffer ${ref.buffer}; ${buffers.length} came with it.`);
  }
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: ref.mime }));
  return { url, width: ref.width, height: ref.height };
}

export class Pages {
  /** Samples in the place; null until the first page is here. */
  total: number | null = null;
  private readonly held = new Map<number, Loaded[]>();
  private readonly asked = new Set<number>();
  private readonly failed = new Set<number>();
  private closed = false;

  constructor(
    readonly place: Place,
    /** In which order; null for the kernel's choice. */
    readonly order: string | null,
    private readonly ask: Ask,
    private readonly changed: () => void,
    private readonly report: (error: unknown) => void,
  ) {}

  at(index: number): Loaded | undefined {
    return this.held.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Ids of all samples held. */
  *ids(): Iterable<SampleId> {
    for (const page of this.held.values()) for (const { sample } of page) yield sample.id;
  }

  get hasFailed(): boolean {
    return this.failed.size > 0;
  }

  get busy(): boolean {
    return this.asked.size > 0;
  }

  /** Asks for what a span of cards lacks. Call again whenever something changed. */
  want(span: Span): void {
    for (const page of pagesOf(span)) {
      if (this.held.has(page) || this.asked.has(page) || this.failed.has(page)) continue;
      if (this.asked.size >= AT_ONCE) break;
      void this.load(page, span);
    }
  }

  /** Makes pages whose request failed eligible again. */
  retry(): void {
    this.failed.clear();
    this.changed();
  }

  private async load(page: number, span: Span): Promise<void> {
    this.asked.add(page);
    try {
      const { result, buffers } = await this.ask<PageResult>("page", {
        place: this.place,
        ...(this.order === null ? {} : { order: this.order }),
        offset: page * PAGE,
        limit: PAGE,
      });
      if (this.closed) return;
      const loaded: Loaded[] = [];
      this.held.set(page, loaded);
      for (const [i, sample] of result.samples.entries()) {
        const { image, ...shown } = result.shown[i] ?? {};
        loaded.push({ sample, picture: pictureUrl(image, buffers), shown });
      }
      this.total = result.total;
      this.letGo(span);
    } catch (error) {
      this.failed.add(page);
      if (!this.closed) this.report(error);
    } finally {
      this.asked.delete(page);
      if (!this.closed) this.changed();
    }
  }

  private letGo(span: Span): void {
    const middle = (span.start + span.stop) / 2 / PAGE;
    const far = [...this.held.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of far.slice(0, Math.max(0, this.held.size - KEPT))) this.drop(page);
  }

  private drop(page: number): void {
    for (const { picture } of this.held.get(page) ?? []) {
      if (picture) URL.revokeObjectURL(picture.url);
    }
    this.held.delete(page);
  }

  close(): void {
    this.closed = true;
    for (const page of [...this.held.keys()]) this.drop(page);
  }
}
