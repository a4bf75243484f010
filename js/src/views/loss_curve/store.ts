import { type BaseInfo, RunStore, record } from "../../run";
import type { Context } from "../../ui";
import { type Bytes, Store } from "../../wire";
import { decodePoints, type Points, Track } from "./track";

function readInfo(value: unknown): BaseInfo {
  const info = record(value);
  return { title: String(info.title ?? "Loss curve"), source: String(info.source ?? "") };
}

/** Everything that was logged, by name, in order of first appearance. */
export class Tracks {
  readonly byName = new Map<string, Track>();
  /** Goes up with every change: what was derived is void then. */
  version = 0;

  all(): Track[] {
    return [...this.byName.values()];
  }

  of(name: string): Track {
    let track = this.byName.get(name);
    if (!track) {
      track = new Track(name);
      this.byName.set(name, track);
    }
    return track;
  }
}

function decode(value: Record<string, unknown>, buffers: readonly Bytes[]): [string, Points][] {
  const series = Object.entries(record(value.series));
  return series.map(([name, points]) => [name, decodePoints(points, buffers)]);
}

export class CurveStore extends RunStore<BaseInfo> {
  /** Changes in place; watch the store to hear of it. */
  readonly tracks = new Store(new Tracks());

  constructor(context: Context) {
    super(context, readInfo);
    this.start();
  }

  protected override reset(
    value: Record<string, unknown>,
    buffers: readonly Bytes[],
    force: boolean,
  ): void {
    for (const [name, points] of decode(value, buffers)) {
      const track = this.tracks.value.of(name);
      if (force || track.logged !== points.logged) track.reset(points);
    }
    this.#changed();
  }

  protected override append(value: Record<string, unknown>, buffers: readonly Bytes[]): boolean {
    const news = decode(value, buffers);
    const complete = news.every(([name, points]) => this.tracks.value.of(name).append(points));
    if (news.length > 0) this.#changed();
    return complete;
  }

  #changed(): void {
    this.tracks.value.version += 1;
    this.tracks.notify();
  }
}
