import {
  type Cells,
  columnsOf,
  fillMark,
  labelGaps,
  OK,
  type Place,
  runsOf,
  squeeze,
} from "../../layers";
import type { Timeline } from "../../run";
import type { Draw } from "../../ui";

/** The first number of a row, as log10; NaN while there is none. */
export function startOf(cells: Cells, length: number): number {
  for (let i = 0; i < length; i++) {
    const value = cells.log[i] as number;
    if (!Number.isNaN(value)) return value;
  }
  return Number.NaN;
}

/** Norms that change by less than this fill no more of a row: noise must not look like drama. */
const LEAST = Math.log10(1.5);

/** Half the height of a row in log10: the largest change of any of these rows since its start. */
export function reachOf(rows: readonly { low: number; high: number; start: number }[]): number {
  let most = LEAST;
  for (const { low, high, start } of rows) {
    if (low <= high) most = Math.max(most, high - start, start - low);
  }
  return most;
}

/** "×8.0": what a change of log10 `reach` is as a factor. */
export function factor(change: number): string {
  const f = 10 ** change;
  if (f >= 1000 || f < 0.001) return `×${f.toExponential(0).replace("e+", "e")}`;
  return `×${f < 9.995 ? f.toPrecision(3) : f.toFixed(f < 99.5 ? 1 : 0)}`;
}

/** "÷8 to ×8": from the bottom of a row to its top; "to ×8" where there is little room. */
export function axisText(reach: number, brief = false): string {
  const f = 10 ** reach;
  const text = f >= 1000 ? f.toExponential(0).replace("e+", "e") : String(Number(f.toPrecision(2)));
  return brief ? `to ×${text}` : `÷${text} to ×${text}`;
}

interface TrendRow extends Omit<Place, "node"> {
  cells: Cells | null;
  start: number;
}

/** A line a row: the norm over its first value, all on one log axis. */
export function drawTrends(history: Timeline, rows: readonly TrendRow[], reach: number): Draw {
  return (context, pane) => {
    if (history.length === 0) return;
    const count = Math.max(1, Math.round(pane.width));
    const columns = columnsOf(history, count);
    context.lineWidth = 1;
    for (const { cells, start, top, height } of rows) {
      if (!cells) continue;
      const middle = top + height / 2;
      const scale = (height / 2 - 1) / reach;
      context.strokeStyle = pane.color("--nbd-line");
      context.beginPath();
      context.moveTo(0, Math.round(middle) + 0.5);
      context.lineTo(pane.width, Math.round(middle) + 0.5);
      context.stroke();
      const { log, status } = squeeze(cells, columns);
      context.strokeStyle = pane.color("--nbd-accent");
      context.lineWidth = 1.75;
      context.lineJoin = "round";
      context.beginPath();
      let pen = false;
      for (let c = 0; c < count; c++) {
        const value = log[c] as number;
        if (Number.isNaN(value)) pen = false;
        else {
          const [x, y] = [c + 0.5, middle - (value - start) * scale];
          if (pen) context.lineTo(x, y);
          else context.moveTo(x, y);
          pen = true;
        }
      }
      context.stroke();
      context.lineWidth = 1;
      for (const [code, from, to] of runsOf(status, log)) {
        if (code > OK) fillMark(context, pane, code, [from, top, Math.max(3, to - from), height]);
      }
    }
    labelGaps(context, pane, columns, 1);
  };
}
