/** What all views of one explorer share: its traits, what is open, the selection, the maps. */

import type { Context } from "../../ui";
import { type Failure, type Finding, readFailures, readFindings } from "../../ui";
import { type Link, listen, RequestError, Store } from "../../wire";
import { type Confusion, confusion } from "./confusion";
import type { Shown } from "./matrix_paint";
import type { Ordering } from "./ordering";
import { Overlays } from "./overlays";
import {
  readCounted,
  readFacets,
  readFilter,
  readInfo,
  readLists,
  readMatrix,
  readNotes,
  readPlace,
} from "./reading";
import { Selection } from "./selection";
import {
  type Ask,
  type Counted,
  type Facet,
  type Filter,
  type Info,
  isCell,
  type Place,
  placeKey,
  type SampleList,
  type Scale,
  type Target,
} from "./types";

/** From this many classes on, those that are confused with each other stand together at first. */
const MANY_CLASSES = 13;

export interface Settings {
  shown: Shown;
  ordering: Ordering;
  overlay: boolean;
  opacity: number;
  target: Target;
  scale: Scale;
}

const NO_KERNEL: Partial<Record<Link, string>> = {
  disconnected: "The kernel ended or was restarted: run the cell again to explore the samples.",
  saved: "There is no kernel on this page: run the notebook to explore the samples.",
};

export class Explorer {
  readonly info: Store<Info>;
  readonly counted: Store<Counted>;
  readonly matrix = new Store<Confusion | null>(null);
  readonly findings: Store<Finding[]>;
  readonly failures: Store<Failure[]>;
  readonly place: Store<Place | null>;
  readonly lists: Store<SampleList[]>;
  readonly facets: Store<Facet[] | null>;
  readonly filter: Store<Filter>;
  readonly notes: Store<Map<number, string>>;
  readonly error = new Store<string | null>(null);
  readonly settings: Store<Settings>;
  readonly selection: Store<Selection>;
  readonly overlays: Store<Overlays>;

  constructor(private readonly context: Context) {
    const { model, signal } = context;
    const info = readInfo(model.get("info"));
    this.settings = new Store<Settings>({
      shown: info.baseline ? "change" : "counts",
      ordering: info.classes.length < MANY_CLASSES ? "label" : "confusion",
      overlay: false,
      opacity: 0.6,
      target: "predicted",
      scale: "shared",
    });
    const follow = <T>(trait: string, read: (value: unknown) => T): Store<T> => {
      const store = new Store(read(model.get(trait)));
      listen(model, `change:${trait}`, () => store.set(read(model.get(trait))), signal);
      return store;
    };
    this.info = follow("info", readInfo);
    this.counted = follow("counted", readCounted);
    this.findings = follow("findings", readFindings);
    this.failures = follow("failures", readFailures);
    this.lists = follow("lists", readLists);
    this.facets = follow("faceted", readFacets);
    this.filter = follow("filter", readFilter);
    this.notes = follow("noted", readNotes);
    this.place = new Store(readPlace(model.get("place")));
    const read = () => model.get("selected");
    this.selection = new Store(
      new Selection(this.ask, read, () => this.selection?.notify(), this.report),
    );
    this.overlays = new Store(new Overlays(this.ask, () => this.overlays.notify(), this.report));
    this.readMatrix();
    for (const trait of ["info", "counted", "matrix", "change"]) {
      listen(model, `change:${trait}`, () => this.readMatrix(), signal);
    }
    listen(model, "change:place", () => this.placeTraitChanged(), signal);
    listen(model, "change:selected", () => this.selection.value.traitChanged(), signal);
    signal.addEventListener("abort", () => this.overlays.value.close(), { once: true });
  }

  ask: Ask = (name, args) => {
    const gone = NO_KERNEL[this.context.connection.link.value];
    if (gone) return Promise.reject(new RequestError(gone));
    return this.context.requests.request(name, args);
  };

  /** Asks, and shows the error if there is one. */
  tell = async (name: string, args: Record<string, unknown> = {}): Promise<void> => {
    try {
      await this.ask(name, args);
    } catch (error) {
      this.report(error);
    }
  };

  report = (error: unknown): void => {
    if (this.context.signal.aborted) return;
    this.error.set(error instanceof Error ? error.message : String(error));
  };

  /** Shows the samples of a place here and makes them the selection in Python. */
  open(place: Place): void {
    if (placeKey(place) !== placeKey(this.place.value)) this.place.set(place);
    this.selection.value.selectPlace(place, this.size(place) ?? 0);
  }

  /** Samples in a place, as far as that is known here. */
  size(place: Place): number | undefined {
    if (isCell(place)) return this.matrix.value?.count(place);
    const kind = place.split(":");
    if (kind[0] === "true") return this.matrix.value?.rowErrors(Number(kind[1]));
    return this.lists.value.find((list) => list.key === place)?.count;
  }

  clear(): void {
    this.place.set(null);
    this.selection.value.clear(true);
  }

  change(settings: Partial<Settings>): void {
    this.settings.update((old) => ({ ...old, ...settings }));
  }

  dismiss(): void {
    this.error.set(null);
  }

  /** Another view of this explorer, or Python, opened a place. What was asked here comes first. */
  private placeTraitChanged(): void {
    if (this.selection.value.pending) return;
    const place = readPlace(this.context.model.get("place"));
    if (placeKey(place) !== placeKey(this.place.value)) this.place.set(place);
  }

  private readMatrix(): void {
    const { model } = this.context;
    try {
      const counts = readMatrix(model.get("matrix"));
      if (counts === null) return;
      const size = readInfo(model.get("info")).classes.length;
      const lost = readCounted(model.get("counted")).nonfinite_by_class;
      this.matrix.set(confusion(counts, size, lost, readMatrix(model.get("change"))));
    } catch (error) {
      this.report(error);
    }
  }
}
