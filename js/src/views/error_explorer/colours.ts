/** The colours of the matrix: errors on the sequential scale, right answers in neutral grey. */

import { diverging, type RGB, type Scale, sequential, type Theme } from "../../ui";

/** Fill of the diagonal. style.css has the same as --ex-right, for the legend. */
export const RIGHT: Record<Theme, RGB> = { light: [229, 231, 234], dark: [56, 60, 66] };
const BACKGROUND: Record<Theme, RGB> = { light: [255, 255, 255], dark: [17, 17, 17] };

/** Rare errors stay near the background, so that the eye goes to the frequent ones. */
export function errorScale(theme: Theme): Scale {
  const scale = sequential(theme);
  const background = BACKGROUND[theme];
  const least = theme === "light" ? 0.4 : 0.62;
  return (level) => {
    const strength = Math.min(1, least + 0.8 * level);
    const [r, g, b] = scale(level);
    const mix = (of: number, k: 0 | 1 | 2) =>
      Math.round(background[k] + (of - background[k]) * strength);
    return [mix(r, 0), mix(g, 1), mix(b, 2)];
  };
}

/** Blue: better than the baseline; white: as before; red: worse. From -1 to 1. */
export function changeColour(level: number): RGB {
  return level === 0 ? [255, 255, 255] : diverging()(0.5 + level / 2);
}
