import { useMemo, useState } from "preact/hooks";
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
export function useTree(layers: readonly { name: string }[]): Tree {
  const nodes = useMemo(() => buildTree(layers), [layers]);
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
      const index = layers.findIndex((layer) => layer.name === name);
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
