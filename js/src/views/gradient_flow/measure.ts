import { plural } from "../../ui";
import { INDENT } from "./rows";
import type { Info } from "./store";
import type { Node } from "./tree";

const CHAR = 7.4; // a character of a name, pixels
const SMALL_CHAR = 6.9; // of the kind beside it
const TOGGLE = 22;
const HEADING = 136; // "Layer input → output"
const NUMBERS = 70;
const GAP = 14;

export interface Layout {
  small: boolean;
  /** Width of the name column, and how many characters of a name fit it at a depth of the tree. */
  names: number;
  chars(depth: number): number;
  /** Whether the layers' kinds fit beside their names. */
  kinds: boolean;
  bars: number;
  heat: number;
}

/** Shares the width among the columns: the names get what they need, up to a limit. */
export function measure(width: number, rows: readonly Node[], info: Info): Layout {
  const small = width < 620;
  const most = Math.max(90, width * (small ? 0.27 : 0.25));
  let plain = small ? 80 : HEADING;
  let full = plain;
  for (const node of rows) {
    const own = node.depth * INDENT + TOGGLE + [...node.label].length * CHAR;
    const layer = info.layers[node.layers[0] ?? 0];
    const note =
      node.children.length > 0 ? plural(node.layers.length, "layer") : (layer?.kind ?? "");
    plain = Math.max(plain, own);
    full = Math.max(full, own + 8 + note.length * SMALL_CHAR);
  }
  const kinds = full <= most;
  const names = Math.ceil(Math.min(most, kinds ? full : plain));
  const rest = Math.max(0, width - names - (small ? 2 * GAP : NUMBERS + 3 * GAP));
  const chars = (depth: number) =>
    Math.max(5, Math.floor((names - TOGGLE - depth * INDENT) / CHAR));
  return { small, names, chars, kinds, bars: rest * 0.45, heat: rest * 0.55 };
}
