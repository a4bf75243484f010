import type { JSX } from "preact";
import { AxisLabel } from "../../run";
import { gradient, power, type Scale } from "../../ui";
import { type Domain, share, ticks } from "./scale";
import { FROZEN, INF, NAN, NONE, STATUS, ZERO } from "./status";

/** The bars' axis is the legend of both pictures: length and colour say the same. */
export function ValueAxis(props: { domain: Domain; scale: Scale; width: number }): JSX.Element {
  const { domain, scale, width } = props;
  return (
    <div class="nbd-axis">
      <div class="gf-strip" style={{ background: gradient(scale) }} />
      <div class="nbd-axis-labels">
        {ticks(domain, width / 42).map((exponent) => (
          <AxisLabel
            key={exponent}
            at={share(domain, exponent)}
            width={width}
            text={power(exponent)}
          />
        ))}
      </div>
    </div>
  );
}

const LISTED = [NAN, INF, NONE, FROZEN, ZERO];

interface LegendProps {
  seen: ReadonlySet<number>;
  groups: boolean;
  ranges: boolean;
}

/** What the marks mean: only those that are in the picture. */
export function Legend({ seen, groups, ranges }: LegendProps): JSX.Element {
  return (
    <ul class="gf-legend" aria-label="Legend">
      {ranges && (
        <li>
          <i class="gf-key gf-key-range" /> lowest to highest over the run
        </li>
      )}
      {groups && (
        <li>
          <i class="gf-key gf-key-ticks" /> closed group: the bar is the median, each tick one layer
        </li>
      )}
      {LISTED.filter((status) => seen.has(status)).map((status) => (
        <li key={status}>
          <i class={`gf-key gf-mark-${status}`} /> {STATUS[status]?.text}
        </li>
      ))}
    </ul>
  );
}
