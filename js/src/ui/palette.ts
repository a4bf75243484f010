export type Theme = "light" | "dark";
export type RGB = readonly [number, number, number];
/** Maps a share in [0, 1] to a colour. Outside values are clamped. */
export type Scale = (share: number) => RGB;

// 17 evenly spaced samples of each map; linear in between, which differs by less than 1/255.
const SAMPLES = {
  viridis:
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725",
  cividis:
    "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838",
  // Blue - white - red: ColorBrewer RdBu, reversed, white at the neutral value.
  diverging:
    "053061 15508d 2870b1 3e8cbf 68abd0 98c8e0 c0dceb deebf2 f7f7f7 fbe6da fbceb7 f5ac8b e58368 d25849 bb2a34 960f27 67001f",
};

export type MapName = keyof typeof SAMPLES;

/** Okabe and Ito: eight colours that stay apart for every kind of colour vision. */
export const OKABE_ITO = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#7f7f7f",
] as const;

export function classColor(index: number): string {
  return OKABE_ITO[index % OKABE_ITO.length] ?? OKABE_ITO[0];
}

export function parseHex(hex: string): RGB {
  const n = Number.parseInt(hex.replace("#", ""), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

const stops = new Map<MapName, RGB[]>();

function colors(name: MapName): RGB[] {
  let found = stops.get(name);
  if (!found) {
    found = SAMPLES[name].split(" ").map(parseHex);
    stops.set(name, found);
  }
  return found;
}

export function sample(name: MapName, share: number): RGB {
  const map = colors(name);
  const at = Math.min(1, Math.max(0, share)) * (map.length - 1);
  const i = Math.min(map.length - 2, Math.floor(at));
  const a = map[i] as RGB;
  const b = map[i + 1] as RGB;
  const f = at - i;
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * f);
  return [mix(0), mix(1), mix(2)];
}

/**
 * More is farther from the background: light theme runs from yellow to dark, dark theme from
 * dark to yellow. The end next to the background is cut off, so that "little" stays visible.
 */
export function sequential(theme: Theme, name: "viridis" | "cividis" = "viridis"): Scale {
  if (theme === "light")
    return (share) => sample(name, 0.93 * (1 - Math.min(1, Math.max(0, share))));
  return (share) => sample(name, 0.12 + 0.88 * Math.min(1, Math.max(0, share)));
}

/** Neutral at 0.5: white in the light theme and in the dark one. */
export function diverging(): Scale {
  return (share) => sample("diverging", share);
}

export function css([r, g, b]: RGB, alpha = 1): string {
  return alpha === 1 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${alpha})`;
}

/** A CSS gradient of a scale, for legends. */
export function gradient(scale: Scale, direction = "to right", steps = 16): string {
  const parts = Array.from({ length: steps + 1 }, (_, i) => css(scale(i / steps)));
  return `linear-gradient(${direction},${parts.join(",")})`;
}

/** WCAG 2 relative luminance, 0 (black) to 1 (white). */
export function luminance([r, g, b]: RGB): number {
  const f = (c: number) => {
    const v = c / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
}

export function contrast(a: RGB, b: RGB): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
}

/** Black or white, whichever reads better on `background`. */
export function inkOn(background: RGB): "#000" | "#fff" {
  return contrast(background, [0, 0, 0]) >= contrast(background, [255, 255, 255]) ? "#000" : "#fff";
}
