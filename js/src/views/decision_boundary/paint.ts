/** The field as pixels: colours of classes or of one probability, boundaries, far areas faded. */

import { classColor, parseHex, type RGB, sequential, type Theme } from "../../ui";
import { type Axis, between, cellAt, type Field, type Slice } from "./slice";

export interface Look {
  /** Position of the class among the field's, or null: the predicted class. */
  shown: number | null;
  control: boolean;
  theme: Theme;
  paper: RGB;
  classes: number;
}

const FAR_AT = 2; // so many times a usual distance away, a cell is as pale as it gets
const NONE = 255;

interface Raster {
  labels: Uint8Array;
  /** The probability that is drawn. */
  sure: Float32Array;
}

/** Columns or rows of cells, with fractions, for every pixel. */
function cells(axis: Axis, pixels: number, flip: boolean): Float64Array {
  return Float64Array.from({ length: pixels }, (_, i) => {
    const place = (i + 0.5) / pixels;
    return cellAt(axis, flip ? 1 - place : place);
  });
}

function rasterOf(field: Field, cx: Float64Array, cy: Float64Array, shown: number | null): Raster {
  const [w, h] = [cx.length, cy.length];
  const labels = new Uint8Array(w * h);
  const sure = new Float32Array(w * h);
  const size = field.width * field.height;
  for (let j = 0; j < h; j++) {
    for (let i = 0; i < w; i++) {
      let [best, label] = [-1, NONE];
      let drawn = Number.NaN;
      for (let k = 0; k < field.classes.length; k++) {
        const p = between(
          field.values,
          k * size,
          field.width,
          field.height,
          cx[i] as number,
          cy[j] as number,
        );
        if (p > best) [best, label] = [p, k];
        if (k === shown) drawn = p;
      }
      labels[j * w + i] = label;
      sure[j * w + i] = shown === null ? best : drawn;
    }
  }
  return { labels, sure };
}

/** Pixels within `thick` of a change of the label to the right or below. */
function edgesOf(labels: Uint8Array, w: number, h: number, thick: number): Uint8Array {
  const edge = new Uint8Array(w * h);
  for (let j = 0; j < h; j++) {
    for (let i = 0; i < w; i++) {
      const at = j * w + i;
      for (let d = 1; d <= thick && !edge[at]; d++) {
        if (i + d < w && labels[at] !== labels[at + d]) edge[at] = 1;
        if (j + d < h && labels[at] !== labels[at + d * w]) edge[at] = 1;
      }
    }
  }
  return edge;
}

/** Paints the slice into pixels (RGBA), row 0 at the top. */
export function paintField(slice: Slice, width: number, height: number, look: Look): ImageData {
  const { field, reach } = slice;
  const image = new ImageData(width, height);
  const [cx, cy] = [cells(slice.x, width, false), cells(slice.y, height, true)];
  const { labels, sure } = rasterOf(field, cx, cy, look.shown);
  const thick = Math.max(1, Math.round(width / 400));
  const edges = edgesOf(labels, width, height, thick);
  const control =
    look.control && slice.control
      ? edgesOf(rasterOf(slice.control, cx, cy, null).labels, width, height, thick)
      : null;
  const colours = field.classes.map((number) => parseHex(classColor(number)));
  const scale = sequential(look.theme);
  const least = 1 / Math.max(2, look.classes);
  const ink: RGB = look.theme === "dark" ? [245, 245, 245] : [20, 22, 26];
  const other: RGB = look.theme === "dark" ? [255, 138, 230] : [176, 0, 130];
  const { data } = image;
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const at = j * width + i;
      const r = between(reach, 0, field.width, field.height, cx[i] as number, cy[j] as number);
      const far = Math.min(1, Math.max(0, (r - 1) / (FAR_AT - 1)));
      let colour: RGB;
      let strength: number;
      const label = labels[at] as number;
      if (label === NONE) {
        colour = (i + j) % 8 < 2 ? ink : look.paper;
        strength = 0.4;
      } else if (look.shown === null) {
        colour = colours[label] as RGB;
        const lead = Math.max(0, ((sure[at] as number) - least) / (1 - least));
        strength = (0.2 + 0.55 * lead) * (1 - 0.85 * far);
      } else {
        colour = scale(sure[at] as number);
        strength = 0.92 * (1 - 0.85 * far);
      }
      // Dots as well as paleness: "no samples near" is never told by shade alone.
      if (far > 0.5 && i % (5 * thick) < thick && j % (5 * thick) < thick) {
        [colour, strength] = [ink, 0.28];
      }
      if (edges[at]) [colour, strength] = [ink, 0.95 - 0.65 * far];
      if (control?.[at] && (i + j) % (10 * thick) < 6 * thick) [colour, strength] = [other, 1];
      for (let k = 0; k < 3; k++) {
        const paper = look.paper[k] as number;
        data[4 * at + k] = paper + ((colour[k] as number) - paper) * strength;
      }
      data[4 * at + 3] = 255;
    }
  }
  return image;
}
