import type { JSX } from "preact";
import {
  type Domain,
  Mark,
  type Node,
  OK,
  Range,
  type Series,
  STATUS,
  share,
  Ticks,
} from "../../layers";
import { css, number, type Scale } from "../../ui";

/** The smallest value still shows as a sliver. */
const LEAST = 0.008;

interface Props {
  node: Node;
  series: Series;
  /** log10 of the norm before clipping, where clipping changed it; else NaN. */
  raw: number;
  sample: number;
  domain: Domain;
  scale: Scale;
}

/** The number and the bar of a row. */
export function Cells({ node, series, raw, sample, domain, scale }: Props): JSX.Element {
  const group = node.children.length > 0;
  const log = series.log[sample] ?? Number.NaN;
  const status = series.status[sample] ?? OK;
  const words = STATUS[status];
  const has = !Number.isNaN(log);
  const s = share(domain, log);
  return (
    <>
      <div class={`ly-number${words?.bad && !has ? " ly-bad" : ""}`} role="gridcell">
        {status === OK || (group && has) ? number(10 ** log) : words?.mark}
      </div>
      <div class="ly-bar" role="gridcell">
        {!group && <Range low={share(domain, series.low)} high={share(domain, series.high)} />}
        {!Number.isNaN(raw) && (
          <span
            class="gf-raw"
            data-raw
            style={{
              left: `${(s * 100).toFixed(2)}%`,
              width: `${((share(domain, raw) - s) * 100).toFixed(2)}%`,
            }}
          />
        )}
        {has && (
          <span
            class="ly-fill"
            data-bar
            style={{
              transform: `scaleX(${Math.max(LEAST, s).toFixed(4)})`,
              background: css(scale(s)),
            }}
          />
        )}
        {group && <Ticks values={series.members(sample).map((v) => share(domain, v))} />}
        {status !== OK && words && (words.bad || !has) && <Mark status={status} aside={has} />}
      </div>
    </>
  );
}
