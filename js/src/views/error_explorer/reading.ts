/** The traits of an explorer, whatever an older saved page left out. */

import { decodeArray } from "../../wire";
import type { Counted, Facet, Filter, Info, Place, SampleList } from "./types";

export function readPlace(value: unknown): Place | null {
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length !== 2) return null;
  return [Number(value[0]), Number(value[1])];
}

export function readInfo(value: unknown): Info {
  const info = (value ?? {}) as Partial<Info>;
  return {
    title: info.title ?? "Error explorer",
    source: info.source ?? "",
    samples: info.samples ?? 0,
    classes: (info.classes ?? []).map(String),
    output: info.output ?? "",
    nonfinite: info.nonfinite ?? 0,
    metadata: info.metadata ?? false,
    baseline: info.baseline ?? null,
    pictures: info.pictures ?? { kind: "none" },
    overlay: info.overlay ?? { available: false },
    clusters: info.clusters ?? "",
  };
}

export function readCounted(value: unknown): Counted {
  const counted = (value ?? {}) as Partial<Counted>;
  return {
    samples: counted.samples ?? 0,
    accuracy: counted.accuracy ?? null,
    nonfinite_by_class: counted.nonfinite_by_class ?? [],
  };
}

export function readLists(value: unknown): SampleList[] {
  return Array.isArray(value) ? (value as SampleList[]) : [];
}

/** Null until they were asked for. */
export function readFacets(value: unknown): Facet[] | null {
  return Array.isArray(value) && value.length > 0 ? (value as Facet[]) : null;
}

export function readFilter(value: unknown): Filter {
  return (value ?? {}) as Filter;
}

export function readNotes(value: unknown): Map<number, string> {
  return new Map(Array.isArray(value) ? (value as [number, string][]) : []);
}

interface Sparse {
  shape: number[];
  at: unknown;
  values: unknown;
}

/** Counts of all cells in row order; of many classes only those that hold something are sent. */
export function readMatrix(value: unknown): ArrayLike<number> | null {
  if (value === null || value === undefined) return null;
  const sparse = value as Partial<Sparse>;
  if (sparse.at === undefined) return decodeArray(value).data;
  const [rows = 0, columns = 0] = sparse.shape ?? [];
  const all = new Int32Array(rows * columns);
  const values = decodeArray(sparse.values).data;
  decodeArray(sparse.at).data.forEach((at, i) => {
    all[at] = values[i] ?? 0;
  });
  return all;
}
