import type { JSX } from "preact";

interface Props {
  value: number | null;
  low: number;
  high: number;
  /** Where the axis ends. */
  end: number;
  /** The share of all samples, drawn through all rows as one line. */
  overall?: number;
  tone: "weak" | "plain" | "faint";
}

/** A share as a dot with its interval, on an axis that stands above all rows. */
export function Whisker({ value, low, high, end, overall, tone }: Props): JSX.Element {
  const at = (share: number) => `${(100 * Math.min(1, share / end)).toFixed(3)}%`;
  const width = Math.min(end, high) - Math.min(end, low);
  return (
    <span class={`sl-track sl-${tone}`} aria-hidden="true">
      {overall !== undefined && <i class="sl-overall" style={{ left: at(overall) }} />}
      <i
        class={`sl-range${high > end ? " sl-beyond" : ""}`}
        style={{ left: at(low), width: `${((100 * width) / end).toFixed(3)}%` }}
      />
      {value !== null && value <= end && <i class="sl-dot" style={{ left: at(value) }} />}
    </span>
  );
}
