/**
 * Which samples Python has as `explorer.selection`. A click shows at once; once the kernel has
 * answered, its trait is what counts (it is written before the reply is sent).
 */

import { type Ask, type Cell, idKey, type SampleId } from "./types";

export class Selection {
  private ids = new Map<string, SampleId>();
  private waiting = 0;
  /** A whole cell was asked for and its ids are not here yet. */
  private wholeCell: number | null = null;

  constructor(
    private readonly ask: Ask,
    private readonly read: () => readonly SampleId[],
    private readonly changed: () => void,
    private readonly report: (error: unknown) => void,
  ) {
    this.take();
  }

  get size(): number {
    return this.wholeCell ?? this.ids.size;
  }

  get pending(): boolean {
    return this.waiting > 0;
  }

  /** Single samples can be added and taken away once the kernel has named them. */
  get editable(): boolean {
    return this.wholeCell === null;
  }

  has(id: SampleId): boolean {
    return this.wholeCell !== null || this.ids.has(idKey(id));
  }

  selectCell(cell: Cell, size: number): void {
    this.wholeCell = size;
    void this.send({ cell: [...cell] });
  }

  toggle(id: SampleId): void {
    if (!this.editable) return;
    const k = idKey(id);
    if (!this.ids.delete(k)) this.ids.set(k, id);
    void this.send({ ids: [...this.ids.values()] });
  }

  clear(): void {
    this.wholeCell = null;
    this.ids.clear();
    void this.send({ ids: [] });
  }

  /** Call when the trait changed. */
  traitChanged(): void {
    if (!this.pending) this.take();
  }

  private take(): void {
    this.ids = new Map(this.read().map((id) => [idKey(id), id]));
    this.wholeCell = null;
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
