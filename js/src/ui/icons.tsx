import type { JSX } from "preact";

const PATHS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  live: "M3 3l6 5-6 5zM10 3h2.5v10H10z",
  chevron: "M6 3.5L10.5 8 6 12.5z",
  close: "M4.2 3.2L8 7l3.8-3.8 1 1L9 8l3.8 3.8-1 1L8 9l-3.8 3.8-1-1L7 8 3.2 4.2z",
  info: "M8 1.2a6.8 6.8 0 110 13.6A6.8 6.8 0 018 1.2zM7.1 7v4.6h1.8V7zM8 4.1a1 1 0 100 2.1 1 1 0 000-2.1z",
  warning: "M8 1.3l7.2 13H.8zM7.2 6v4.3h1.6V6zm0 5.4V13h1.6v-1.6z",
  critical: "M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2zM7.1 4v5h1.8V4zm0 6.2V12h1.8v-1.8z",
} as const;

export type IconName = keyof typeof PATHS;

/** A small symbol in the text's colour. Decoration only: the word beside it carries the meaning. */
export function Icon({ name, size = 12 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="nbd-icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
