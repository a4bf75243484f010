/** From a raw class activation map to pixels that lie over the picture. */

import type { Cam, Scale } from "./types";

export type CamState = "ready" | "none" | "notfinite";
export type Rgb = readonly [number, number, number];

/** Marks map values that are not finite: a colour that the scale does not hold. */
const NOT_FINITE_RGB: Rgb = [255, 0, 144];

export function camState(cam: Cam): CamState {
  if (!Number.isFinite(cam.peak)) return "notfinite";
  return cam.peak > 0 ? "ready" : "none";
}

/** The value drawn in full colour: the map's own peak, or the largest finite one of all. */
export function fullColour(cam: Cam, scale: Scale, sharedPeak: number): number {
  return scale === "own" ? cam.peak : sharedPeak;
}

export function sharedPeak(cams: Iterable<Cam>): number {
  let peak = 0;
  for (const cam of cams) if (Number.isFinite(cam.peak) && cam.peak > peak) peak = cam.peak;
  return peak;
}

/**
 * Bilinear enlargement with pixel centres at half positions, as in torch's
 * `interpolate(mode="bilinear", align_corners=False)`. A value that is not finite stays in the
 * pixels that it would weigh in.
 */
export function upsample(cam: Cam, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height);
  const columns = weights(cam.width, width);
  const rows = weights(cam.height, height);
  for (let y = 0; y < height; y++) {
    const [above, below, wy] = rows[y] ?? [0, 0, 0];
    for (let x = 0; x < width; x++) {
      const [left, right, wx] = columns[x] ?? [0, 0, 0];
      const at = (row: number, column: number): number => cam.values[row * cam.width + column] ?? 0;
      const upper = mix(at(above, left), at(above, right), wx);
      const lower = mix(at(below, left), at(below, right), wx);
      out[y * width + x] = mix(upper, lower, wy);
    }
  }
  return out;
}

function weights(from: number, to: number): [number, number, number][] {
  return Array.from({ length: to }, (_, i) => {
    const centre = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(centre));
    return [low, Math.min(from - 1, low + 1), centre - low];
  });
}

/** Keeps the exact end values: 0 * infinity would turn a finite neighbour into NaN. */
function mix(a: number, b: number, weight: number): number {
  if (weight === 0 || a === b) return a;
  return a + (b - a) * weight;
}

/**
 * RGBA pixels of the overlay. Colour and opacity both grow with the value, so that a place
 * without evidence leaves the picture as it is.
 */
export function colourCam(
  values: Float32Array,
  full: number,
  opacity: number,
  colour: (share: number) => Rgb,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4);
  const table = Array.from({ length: 256 }, (_, i) => colour(i / 255));
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const finite = Number.isFinite(value);
    const share = finite && full > 0 ? Math.min(1, Math.max(0, value / full)) : 0;
    const rgb = finite ? (table[Math.round(share * 255)] ?? NOT_FINITE_RGB) : NOT_FINITE_RGB;
    pixels[4 * i] = rgb[0];
    pixels[4 * i + 1] = rgb[1];
    pixels[4 * i + 2] = rgb[2];
    pixels[4 * i + 3] = Math.round(255 * opacity * (finite ? ramp(share) : 1));
  }
  return pixels;
}

/** Rises quickly from 0, so that middling evidence is already visible. */
function ramp(share: number): number {
  return share ** 0.7;
}
