import type { Pane } from "../ui";
import { FROZEN, INF, NAN, NONE, ZERO } from "./status";

/** How a status fills its cells: told apart by pattern, with colour only as a help. */
export type Pattern = "hatch" | "cross" | "dots" | "lines" | "rings" | "none";

export const PATTERN: Record<number, Pattern> = {
  [NAN]: "hatch",
  [INF]: "cross",
  [NONE]: "dots",
  [FROZEN]: "lines",
  [ZERO]: "rings",
};

const SIZE = 6;
const made = new Map<string, HTMLCanvasElement>();

function tile(kind: Pattern, ink: string, paper: string, ratio: number): HTMLCanvasElement {
  const key = [kind, ink, paper, ratio].join();
  const kept = made.get(key);
  if (kept) return kept;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(SIZE * ratio);
  const context = canvas.getContext("2d");
  if (context) {
    context.scale(canvas.width / SIZE, canvas.height / SIZE);
    context.fillStyle = paper;
    context.fillRect(0, 0, SIZE, SIZE);
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = 1.5;
    context.beginPath();
    if (kind === "hatch" || kind === "cross") {
      for (const shift of [-SIZE, 0, SIZE]) {
        context.moveTo(shift - 1, SIZE + 1);
        context.lineTo(shift + SIZE + 1, -1);
        if (kind === "cross") {
          context.moveTo(shift - 1, -1);
          context.lineTo(shift + SIZE + 1, SIZE + 1);
        }
      }
    } else if (kind === "lines") {
      context.lineWidth = 1;
      context.moveTo(0, SIZE / 2);
      context.lineTo(SIZE, SIZE / 2);
    } else if (kind === "dots") {
      context.arc(SIZE / 2, SIZE / 2, 0.9, 0, 7);
      context.fill();
      context.beginPath();
    } else if (kind === "rings") {
      context.lineWidth = 1;
      context.arc(SIZE / 2, SIZE / 2, 1.8, 0, 7);
    }
    context.stroke();
  }
  made.set(key, canvas);
  return canvas;
}

/** Fills a rectangle with the mark of a status. */
export function fillMark(
  context: CanvasRenderingContext2D,
  pane: Pane,
  status: number,
  [x, y, width, height]: readonly [number, number, number, number],
): void {
  const bad = status === NAN || status === INF;
  const ink = pane.color(bad ? "--nbd-critical" : "--nbd-muted");
  const paper = pane.color(bad ? "--nbd-mark-paper" : "--nbd-bg");
  const pattern = context.createPattern(
    tile(PATTERN[status] ?? "none", ink, paper, pane.ratio),
    "repeat",
  );
  if (!pattern) return;
  pattern.setTransform(new DOMMatrix().translate(x, y).scale(1 / pane.ratio));
  context.fillStyle = pattern;
  context.fillRect(x, y, width, height);
}
