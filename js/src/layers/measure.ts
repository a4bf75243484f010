import { plural } from "../ui";
import { INDENT } from "./row";
import type { Node } from "./tree";

const CHAR = 7.4; // a character of a name, pixels
const BOLD_CHAR = 8.3; // of the name of a group, which is bold while it is open
const SMALL_CHAR = 6.9; // of the note beside it
const TOGGLE = 22;

export interface Names {
  /** Width of the name column, and how many characters of a name fit it at a depth of the tree. */
  width: number;
  chars(depth: number, group: boolean): number;
  /** Whether the notes (the layers' kinds) fit beside their names. */
  notes: boolean;
}

/** The names get what they need, between `least` and `most`. */
export function measureNames(
  rows: readonly Node[],
  note: (node: Node) => string,
  least: number,
  most: number,
): Names {
  let plain = least;
  let full = least;
  for (const node of rows) {
    const char = node.children.length > 0 ? BOLD_CHAR : CHAR;
    const own = node.depth * INDENT + TOGGLE + [...node.label].length * char;
    plain = Math.max(plain, own);
    full = Math.max(full, own + 8 + note(node).length * SMALL_CHAR);
  }
  const notes = full <= most;
  const width = Math.ceil(Math.min(most, notes ? full : plain));
  const chars = (depth: number, group: boolean) =>
    Math.max(5, Math.floor((width - TOGGLE - depth * INDENT) / (group ? BOLD_CHAR : CHAR)));
  return { width, chars, notes };
}

/** Beside a name: the layer's kind, or how many layers a group holds. */
export function noteOf(layers: readonly { kind: string }[]): (node: Node) => string {
  return (node) =>
    node.children.length > 0
      ? plural(node.layers.length, "layer")
      : (layers[node.layers[0] ?? 0]?.kind ?? "");
}
