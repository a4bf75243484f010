/** Class activation maps of what is on screen: one request at a time, each map asked for once. */

import { sharedPeak } from "./cam";
import { decodeMaps } from "./maps";
import { type Ask, type Cam, idKey, type SampleId, type Target } from "./types";

/** Most maps in one request: what a large screen shows, and a second of work on two cores. */
const BATCH = 48;
const SETTLE_MS = 80;
const KEPT = 2000;

export class Overlays {
  /** The layer that the kernel explained by, once known. */
  layer: string | null = null;
  private readonly held = new Map<string, Cam>();
  private readonly asked = new Set<string>();
  private readonly failed = new Set<string>();
  private wanted: { ids: SampleId[]; target: Target } = { ids: [], target: "predicted" };
  private timer: ReturnType<typeof setTimeout> | null = null;
  private closed = false;

  constructor(
    private readonly ask: Ask,
    private readonly changed: () => void,
    private readonly report: (error: unknown) => void,
  ) {}

  get(id: SampleId, target: Target): Cam | undefined {
    return this.held.get(key(id, target));
  }

  isBusy(id: SampleId, target: Target): boolean {
    return this.asked.has(key(id, target)) || (this.timer !== null && this.lacks(id, target));
  }

  hasFailed(id: SampleId, target: Target): boolean {
    return this.failed.has(key(id, target));
  }

  get failures(): number {
    return this.failed.size;
  }

  /** What is on screen now. Maps that it lacks are asked for once scrolling settles. */
  show(ids: SampleId[], target: Target): void {
    this.wanted = { ids, target };
    if (this.timer !== null || this.asked.size > 0 || this.missing().length === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.load();
    }, SETTLE_MS);
  }

  /** Largest peak among the maps of these samples, and how many of them are here. */
  peakOf(ids: Iterable<SampleId>, target: Target): { peak: number; maps: number } {
    const cams: Cam[] = [];
    for (const id of ids) {
      const cam = this.get(id, target);
      if (cam) cams.push(cam);
    }
    return { peak: sharedPeak(cams), maps: cams.length };
  }

  retry(): void {
    this.failed.clear();
    this.show(this.wanted.ids, this.wanted.target);
    this.changed();
  }

  private lacks(id: SampleId, target: Target): boolean {
    const k = key(id, target);
    return !this.held.has(k) && !this.asked.has(k) && !this.failed.has(k);
  }

  private missing(): SampleId[] {
    const { ids, target } = this.wanted;
    return ids.filter((id) => this.lacks(id, target)).slice(0, BATCH);
  }

  private async load(): Promise<void> {
    const { target } = this.wanted;
    const ids = this.missing();
    if (ids.length === 0 || this.closed) return;
    const keys = ids.map((id) => key(id, target));
    for (const k of keys) this.asked.add(k);
    this.changed();
    try {
      const reply = decodeMaps(await this.ask("overlay", { ids, target }));
      if (this.closed) return;
      this.layer = reply.layer;
      reply.ids.forEach((id, i) => {
        const cam = reply.maps[i];
        if (cam) this.held.set(key(id, target), cam);
      });
      for (const k of keys) {
        // A map that the kernel left out is not asked for again and again.
        if (!this.held.has(k)) this.failed.add(k);
      }
      for (const k of this.held.keys()) {
        if (this.held.size <= KEPT) break;
        this.held.delete(k);
      }
    } catch (error) {
      for (const k of keys) this.failed.add(k);
      if (!this.closed) this.report(error);
    } finally {
      this.asked.clear();
      if (!this.closed) {
        this.changed();
        this.show(this.wanted.ids, this.wanted.target);
      }
    }
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

function key(id: SampleId, target: Target): string {
  return `${target}:${idKey(id)}`;
}
