/**
 * Which samples Python has as `explorer.selection`. A click shows at once; once the kernel has
 * answered, its trait is what counts (it is written before the reply is sent).
 */

import { decodeArray } from "../../wire";
import { type Ask, isCell, type Place } from "./types";

interface Packed {
  count?: number;
  /** Rows, or a bit for each sample, lowest first. */
  rows?: unknown;
  bits?: unknown;
}

export class Selection {
  private held: (row: number) => boolean = () => false;
  private count = 0;
  /** Rows toggled here that the kernel has not confirmed yet. */
  private readonly toggled = new Map<number, boolean>();
  private waiting = 0;
  /** A whole place was asked for and the kernel has not named its samples yet. */
  private whole: number | null = null;

  constructor(
    private readonly ask: Ask,
    private readonly read: () => unknown,
    private readonly changed: () => void,
    private readonly report: (error: unknown) => void,
  ) {
    this.take();
  }

  get size(): number {
    if (this.whole !== null) return this.whole;
    let size = this.count;
    for (const [row, on] of this.toggled) size += Number(on) - Number(this.held(row));
    return size;
  }

  get pending(): boolean {
    return this.waiting > 0;
  }

  /** Single samples can be added and taken away once the kernel has named them. */
  get editable(): boolean {
    return this.whole === null;
  }

  has(row: number): boolean {
    return this.whole !== null || (this.toggled.get(row) ?? this.held(row));
  }

  selectPlace(place: Place, size: number): void {
    this.whole = size;
    this.toggled.clear();
    void this.send({ place: isCell(place) ? [...place] : place });
  }

  toggle(row: number): void {
    if (!this.editable) return;
    const on = !this.has(row);
    this.toggled.set(row, on);
    void this.send({ row, on });
  }

  /** Selects nothing; `close` also closes what is open, for a page that is opened again. */
  clear(close = false): void {
    this.whole = null;
    this.toggled.clear();
    this.held = () => false;
    this.count = 0;
    void this.send({ none: true, close });
  }

  /** Call when the trait changed. */
  traitChanged(): void {
    if (!this.pending) this.take();
  }

  private take(): void {
    const packed = (this.read() ?? {}) as Packed;
    this.whole = null;
    this.toggled.clear();
    this.count = packed.count ?? 0;
    if (packed.bits !== undefined) {
      const bits = decodeArray(packed.bits).data;
      this.held = (row) => (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
    } else {
      const rows = new Set(packed.rows === undefined ? [] : decodeArray(packed.rows).data);
      this.held = (row) => rows.has(row);
    }
    this.changed();
  }

  private async send(args: Record<string, unknown>): Promise<void> {
    this.waiting++;
    this.changed();
    try {
      await this.ask("select", args);
    } catch (error) {
      this.report(error);
    } finally {
      this.waiting--;
      if (this.waiting === 0) this.take();
      else this.changed();
    }
  }
}
