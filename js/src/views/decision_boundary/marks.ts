/** The samples over the field: right ones as discs, wrong ones as diamonds, far ones faint. */

import { classColor } from "../../ui";
import { placeOn, type Slice } from "./slice";

export interface Mark {
  /** Position in the slice's points. */
  index: number;
  row: number;
  x: number;
  y: number;
  kind: number;
  wrong: boolean;
  closeness: number;
}

/** Marks inside a picture of that size, faintest first, and how many lie outside. */
export function marksOf(slice: Slice, width: number, height: number): [Mark[], number] {
  const { points } = slice;
  const marks: Mark[] = [];
  const seen = new Map<string, number>();
  for (let index = 0; index < points.x.length; index++) {
    const told = points.told[index] as number;
    const kind = points.true ? (points.true[index] as number) : told;
    let px = placeOn(slice.x, points.x[index] as number);
    let py = placeOn(slice.y, points.y[index] as number);
    if (px < 0 || px > 1 || py < 0 || py > 1) continue;
    const key = `${px},${py}`;
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    // Samples of a whole-numbered feature lie on one another: spread them within their band.
    if (slice.x.discrete) px += (scatter(index, 1) - 0.5) * (0.7 / slice.x.values.length);
    if (slice.y.discrete) py += (scatter(index, 2) - 0.5) * (0.7 / slice.y.values.length);
    marks.push({
      index,
      row: points.rows[index] as number,
      x: px * width,
      y: (1 - py) * height,
      kind,
      wrong: points.true !== null && told !== kind,
      closeness: points.closeness[index] as number,
    });
  }
  marks.sort((a, b) => a.closeness - b.closeness || a.index - b.index);
  return [marks, points.x.length - marks.length];
}

/** A number in [0, 1) that is the same for the same sample in every drawing. */
function scatter(index: number, salt: number): number {
  const wave = Math.sin(index * 12.9898 + salt * 78.233) * 43758.5453;
  return wave - Math.floor(wave);
}

/** The mark under the pointer: the nearest within reach, rather one that is not faint. */
export function markAt(marks: readonly Mark[], x: number, y: number): Mark | null {
  let best: Mark | null = null;
  let least = 9;
  for (const mark of marks) {
    if (mark.closeness < 0.05) continue;
    const distance = Math.hypot(mark.x - x, mark.y - y) + 3 * (1 - mark.closeness);
    if (distance < least) [best, least] = [mark, distance];
  }
  return best;
}

export function drawMarks(
  context: CanvasRenderingContext2D,
  marks: readonly Mark[],
  chosen: number | null,
  paper: string,
  ink: string,
): void {
  const size = marks.length > 600 ? 2.6 : 3.6;
  for (const mark of marks) {
    const picked = mark.row === chosen;
    if (mark.closeness < 0.02 && !picked) continue;
    context.globalAlpha = picked ? 1 : 0.08 + 0.92 * mark.closeness;
    context.beginPath();
    if (mark.wrong) {
      const r = size * 1.5;
      context.moveTo(mark.x, mark.y - r);
      context.lineTo(mark.x + r, mark.y);
      context.lineTo(mark.x, mark.y + r);
      context.lineTo(mark.x - r, mark.y);
      context.closePath();
    } else {
      context.arc(mark.x, mark.y, size, 0, 2 * Math.PI);
    }
    context.fillStyle = mark.kind >= 0 ? classColor(mark.kind) : paper;
    context.strokeStyle = mark.wrong ? ink : paper;
    context.lineWidth = mark.wrong ? 1.6 : 1.2;
    context.fill();
    context.stroke();
    if (picked) {
      context.beginPath();
      context.arc(mark.x, mark.y, size + 6, 0, 2 * Math.PI);
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}
