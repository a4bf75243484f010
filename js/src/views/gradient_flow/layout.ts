import { useMemo, useRef, useState } from "preact/hooks";
import type { History } from "./history";
import { type Domain, domainOf } from "./scale";
import { type Metric, type Series, SeriesCache } from "./series";
import type { Info } from "./store";
import { ancestors, buildTree, closedAtFirst, type Node, visible } from "./tree";

/** Rows that fit without scrolling in a widget of a comfortable height. */
const COMFORTABLE = 26;

export interface Tree {
  rows: Node[];
  isOpen(node: Node): boolean;
  toggle(node: Node): void;
  /** Opens what hides the layer of this name; its row, if there is such a layer. */
  reveal(name: string): Node | undefined;
}

/** The name tree and which of its groups are open. */
export function useTree(info: Info): Tree {
  const nodes = useMemo(() => buildTree(info.layers), [info]);
  const first = useMemo(() => closedAtFirst(nodes, COMFORTABLE), [nodes]);
  const [changed, setChanged] = useState<ReadonlySet<string> | null>(null);
  const closed = changed ?? first;
  const rows = useMemo(() => visible(nodes, closed), [nodes, closed]);
  return {
    rows,
    isOpen: (node) => !closed.has(node.id),
    toggle(node) {
      const next = new Set(closed);
      if (!next.delete(node.id)) next.add(node.id);
      setChanged(next);
    },
    reveal(name) {
      const index = info.layers.findIndex((layer) => layer.name === name);
      if (index < 0) return rows.find((node) => node.path === name);
      const next = new Set(closed);
      for (const id of ancestors(nodes, index)) next.delete(id);
      setChanged(next);
      return visible(nodes, next).find(
        (node) => node.children.length === 0 && node.layers[0] === index,
      );
    },
  };
}

/** The numbers behind the rows, and the axis that holds all of them. */
export function useNumbers(history: History, metric: Metric, info: Info) {
  const cache = useRef(new SeriesCache()).current;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const seen = new Set<number>();
  info.layers.forEach((_, index) => {
    const series = cache.get(history, metric, `layer ${index}`, [index]);
    low = Math.min(low, series.low);
    high = Math.max(high, series.high);
    for (const status of series.seen) seen.add(status);
  });
  const domain: Domain = domainOf(low, high);
  const of = (node: Node): Series =>
    node.children.length > 0
      ? cache.get(history, metric, node.id, node.layers)
      : cache.get(history, metric, `layer ${node.layers[0]}`, node.layers);
  return { domain, seen, of };
}
