export interface Node {
  id: string;
  /** What the row says: the last part of the path, with its parent where that is a number. */
  label: string;
  /** The whole path. */
  path: string;
  depth: number;
  /** Indices of the layers beneath, in order; one for a leaf. */
  layers: number[];
  /** Empty for a leaf. */
  children: Node[];
}

interface Draft {
  part: string;
  path: string[];
  layers: number[];
  children: Draft[];
  leaf: boolean;
}

/** Not the dots in "relu(block.0)", a function named by what it was applied to. */
const DOT = /\.(?![^(]*\))/;

/**
 * Groups layers by module path without changing their order: neighbours that share a prefix form
 * a group, and a module that is used twice forms two.
 */
export function buildTree(layers: readonly { name: string }[]): Node[] {
  const root: Draft = { part: "", path: [], layers: [], children: [], leaf: false };
  layers.forEach((layer, index) => {
    const parts = layer.name === "" ? ["(model)"] : layer.name.split(DOT);
    let node = root;
    parts.forEach((part, depth) => {
      const leaf = depth === parts.length - 1;
      const last = node.children.at(-1);
      let next = last && !last.leaf && !leaf && last.part === part ? last : undefined;
      if (!next) {
        next = { part, path: [...node.path, part], layers: [], children: [], leaf };
        node.children.push(next);
      }
      next.layers.push(index);
      node = next;
    });
  });
  return root.children.map((child) => finish(child, 0));
}

const NUMBER = /^\d+$/;

function finish(draft: Draft, depth: number): Node {
  const skipped: string[] = [];
  let node = draft;
  // A group of one says nothing: its child takes its place, with both names.
  while (node.children.length === 1) {
    skipped.push(node.part);
    node = node.children[0] as Draft;
  }
  const above = node.path.at(-2 - skipped.length);
  const own = [...skipped, node.part];
  const named = own[0] !== undefined && NUMBER.test(own[0]) && above ? [above, ...own] : own;
  return {
    id: `${node.path.join(".")}@${node.layers[0]}`,
    label: named.join("."),
    path: node.path.join("."),
    depth,
    layers: node.layers,
    children: node.children.map((child) => finish(child, depth + 1)),
  };
}

/** The rows to show: every node whose ancestors are all open, in order. */
export function visible(nodes: readonly Node[], closed: ReadonlySet<string>): Node[] {
  return nodes.flatMap((node) =>
    node.children.length > 0 && !closed.has(node.id)
      ? [node, ...visible(node.children, closed)]
      : [node],
  );
}

function groups(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) =>
    node.children.length > 0 ? [node, ...groups(node.children)] : [],
  );
}

/** Fewer rows than this say too little, as long as scrolling through the finer ones is bearable. */
const TOO_FEW = 8;
const TOO_MANY = 120;

/** Which groups to close at first so that about `most` rows show: the deepest ones first. */
export function closedAtFirst(nodes: readonly Node[], most: number): Set<string> {
  let closed = new Set<string>();
  let rows = visible(nodes, closed).length;
  const all = groups(nodes);
  let depth = Math.max(-1, ...all.map((node) => node.depth));
  for (; depth >= 0 && rows > most; depth--) {
    const coarser = new Set(closed);
    for (const node of all) if (node.depth === depth) coarser.add(node.id);
    const left = visible(nodes, coarser).length;
    if (left < TOO_FEW && rows <= TOO_MANY) break;
    closed = coarser;
    rows = left;
  }
  return closed;
}

/** The groups above the layer of this name, which must be open for it to be seen. */
export function ancestors(nodes: readonly Node[], layer: number): string[] {
  for (const node of nodes) {
    if (node.children.length > 0 && node.layers.includes(layer)) {
      return [node.id, ...ancestors(node.children, layer)];
    }
  }
  return [];
}
