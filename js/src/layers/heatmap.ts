import type { Timeline } from "../run";
import { type Draw, type Pane, type Scale, sequential, type Theme } from "../ui";
import { type Columns, columnsOf, gapsOf, squeeze } from "./columns";
import { fillMark } from "./marks";
import { type Domain, share } from "./scale";
import type { Cells } from "./series";
import { OK, STATUS } from "./status";

export interface HeatRow {
  /** Null for the heading of an open group, which has no cells of its own. */
  series: Cells | null;
  top: number;
  height: number;
}

export type Scales = Record<Theme, Scale>;
const SEQUENTIAL: Scales = { light: sequential("light"), dark: sequential("dark") };
const MAX_COLUMNS = 1200;
/** A bad sample among thousands is still this wide, in CSS pixels. */
const LEAST_MARK = 3;

/** Layer by step, in colour; `rows` are those in view, in pixels of the canvas. */
export function drawHeatmap(
  history: Timeline,
  rows: readonly HeatRow[],
  domain: Domain,
  scales: Scales = SEQUENTIAL,
): Draw {
  return (context, pane) => {
    if (history.length === 0 || rows.length === 0) return;
    const count = Math.min(MAX_COLUMNS, Math.max(1, Math.round(pane.width * pane.ratio)));
    const columns = columnsOf(history, count);
    const image = document.createElement("canvas");
    image.width = count;
    image.height = rows.length;
    const pixels = image.getContext("2d");
    if (!pixels) return;
    const data = pixels.createImageData(count, rows.length);
    const runs: [number, number, number, number][] = []; // row, status, from, to
    rows.forEach(({ series }, r) => {
      if (!series) return;
      const { log, status } = squeeze(series, columns);
      for (let c = 0; c < count; c++) {
        const value = log[c] as number;
        if (!Number.isNaN(value)) {
          data.data.set([...scales[pane.theme](share(domain, value)), 255], (r * count + c) * 4);
        }
      }
      runs.push(
        ...runsOf(status, log).map(([s, from, to]) => [r, s, from, to] as (typeof runs)[0]),
      );
    });
    pixels.putImageData(data, 0, 0);
    context.imageSmoothingEnabled = false;
    rows.forEach(({ series, top, height }, r) => {
      if (series) context.drawImage(image, 0, r, count, 1, 0, top, pane.width, height);
    });
    const scale = pane.width / count;
    for (const [r, status, from, to] of runs) {
      const { top, height } = rows[r] as HeatRow;
      const width = Math.max(LEAST_MARK, (to - from) * scale);
      const x = Math.min(from * scale, pane.width - width);
      fillMark(context, pane, status, [x, top, width, height]);
    }
    labelGaps(context, pane, columns, scale);
  };
}

/** A blank band is no missing value: it says so. `scale`: pixels a column. */
export function labelGaps(
  context: CanvasRenderingContext2D,
  pane: Pane,
  columns: Columns,
  scale: number,
): void {
  for (const [from, to] of gapsOf(columns)) labelGap(context, pane, from * scale, to * scale);
}

/** Across the band, or along it where it is narrow. */
function labelGap(
  context: CanvasRenderingContext2D,
  { height, color }: Pane,
  left: number,
  right: number,
): void {
  const text = "not sampled";
  context.save();
  context.font = '12px system-ui, "Segoe UI", sans-serif';
  const long = context.measureText(text).width + 8;
  const lies = right - left >= long;
  context.translate((left + right) / 2, height / 2);
  if (!lies) context.rotate(-Math.PI / 2);
  if (lies || (right - left >= 14 && height >= long)) {
    context.fillStyle = color("--nbd-muted");
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, 0, 0);
  }
  context.restore();
}

/** Neighbouring columns that carry the same mark: [status, from, to). */
export function runsOf(status: Int8Array, log: Float32Array): [number, number, number][] {
  const runs: [number, number, number][] = [];
  for (let c = 0; c < status.length; c++) {
    const s = status[c] as number;
    // A column with numbers in it shows them, unless something in it is broken.
    if (s <= OK || (!STATUS[s]?.bad && !Number.isNaN(log[c] as number))) continue;
    const last = runs.at(-1);
    if (last && last[0] === s && last[2] === c) last[2] = c + 1;
    else runs.push([s, c, c + 1]);
  }
  return runs;
}
