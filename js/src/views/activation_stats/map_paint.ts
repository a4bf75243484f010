import type { Draw, Scale, Theme } from "../../ui";
import { DEAD, FULL, SILENT, STUCK, type Units } from "./units";

/** Left of the map: a tick at every line that holds a dead or a stuck unit. */
export const GUTTER = 12;

/** The map as it is painted: lines of one or more units each. */
export interface Grid {
  lines: number;
  blocks: number;
  /** Steps at both ends. */
  first: number;
  last: number;
  /** (B + 1,) where the blocks begin and end, as shares of the width. */
  edges: Float64Array;
  /** (lines, B) mean share, 0 to 1. */
  share: Float32Array;
  /** (lines,) share of its units that are dead or stuck, and whether any fell silent. */
  off: Float32Array;
  silent: Uint8Array;
  /** Indices of the units of a line. */
  members(line: number): number[];
}

/** Puts `order`, indices of units, into so many lines. */
export function gridOf(units: Units, shares: Uint16Array, order: number[], lines: number): Grid {
  const n = units.units.length;
  const blocks = units.first.length;
  const first = units.first[0] ?? 1;
  const last = Math.max(first + 1, units.last[blocks - 1] ?? first + 1);
  const edges = new Float64Array(blocks + 1);
  for (let b = 0; b < blocks; b++) edges[b] = ((units.first[b] as number) - first) / (last - first);
  edges[blocks] = 1;
  const members = (line: number) =>
    order.slice(
      Math.floor((line * order.length) / lines),
      Math.max(
        Math.floor((line * order.length) / lines) + 1,
        Math.floor(((line + 1) * order.length) / lines),
      ),
    );
  const share = new Float32Array(lines * blocks);
  const off = new Float32Array(lines);
  const silent = new Uint8Array(lines);
  for (let line = 0; line < lines; line++) {
    const own = members(line);
    for (let b = 0; b < blocks; b++) {
      let sum = 0;
      for (const u of own) sum += shares[b * n + u] as number;
      share[line * blocks + b] = sum / (FULL * own.length);
    }
    const bad = own.filter((u) => units.states[u] === DEAD || units.states[u] === STUCK);
    off[line] = bad.length / own.length;
    silent[line] = Number(own.some((u) => units.states[u] === SILENT));
  }
  return { lines, blocks, first, last, edges, share, off, silent, members };
}

export function drawMap(grid: Grid, scaleOf: (theme: Theme) => Scale): Draw {
  return (context, pane) => {
    const { lines, blocks, edges, share, off } = grid;
    if (lines === 0 || blocks === 0) return;
    const scale = scaleOf(pane.theme);
    const image = document.createElement("canvas");
    image.width = blocks;
    image.height = lines;
    const pixels = image.getContext("2d");
    if (!pixels) return;
    const data = pixels.createImageData(blocks, lines);
    for (let i = 0; i < lines * blocks; i++) {
      // Exactly never stays as the paper.
      const value = share[i] as number;
      if (value > 0) data.data.set([...scale(value), 255], i * 4);
    }
    pixels.putImageData(data, 0, 0);
    const inner = pane.width - GUTTER;
    context.fillStyle = pane.color("--nbd-sunken");
    context.fillRect(GUTTER, 0, inner, pane.height);
    context.imageSmoothingEnabled = false;
    for (let b = 0; b < blocks; b++) {
      const x = GUTTER + (edges[b] as number) * inner;
      const width = GUTTER + (edges[b + 1] as number) * inner - x;
      context.drawImage(image, b, 0, 1, lines, x, 0, width, pane.height);
    }
    const tall = pane.height / lines;
    context.fillStyle = pane.color("--nbd-muted");
    grid.silent.forEach((any, line) => {
      if (any) context.fillRect(GUTTER - 7, line * tall, 3, Math.max(1, tall));
    });
    for (let line = 0; line < lines; line++) {
      if (off[line] === 0) continue;
      let end = line + 1;
      while (end < lines && off[end] === 1 && off[line] === 1) end++;
      const box = [GUTTER, line * tall, inner, (end - line) * tall] as const;
      if (off[line] === 1) hatch(context, pane.color("--nbd-fg"), box);
      context.fillStyle = pane.color("--nbd-fg");
      context.fillRect(0, line * tall, GUTTER - 4, Math.max(1, (end - line) * tall));
      line = end - 1;
    }
  };
}

/** Thin diagonals, so that the colours beneath stay visible. */
function hatch(
  context: CanvasRenderingContext2D,
  ink: string,
  [x, y, width, height]: readonly [number, number, number, number],
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = ink;
  context.globalAlpha = 0.55;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height; at < x + width; at += 6) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}
