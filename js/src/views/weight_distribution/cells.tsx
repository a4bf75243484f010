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
import { number } from "../../ui";
import { factor } from "./trend";

interface Props {
  node: Node;
  ratio: Series;
  norm: Series;
  /** log10 of the norm at the first sample. */
  start: number;
  sample: number;
  domain: Domain;
  small: boolean;
}

/** Update over weights on the log axis, then the norm and its change since the start. */
export function Cells(props: Props): JSX.Element {
  const { node, ratio, norm, start, sample, domain, small } = props;
  const group = node.children.length > 0;
  const log = ratio.log[sample] ?? Number.NaN;
  const status = ratio.status[sample] ?? OK;
  const words = STATUS[status];
  const has = !Number.isNaN(log);
  const weight = norm.log[sample] ?? Number.NaN;
  const bad = STATUS[norm.status[sample] ?? OK];
  return (
    <>
      <div class="ly-bar" role="gridcell">
        {!group && <Range low={share(domain, ratio.low)} high={share(domain, ratio.high)} />}
        {group && <Ticks values={ratio.members(sample).map((v) => share(domain, v))} />}
        {has && (
          <span
            class={`wd-dot${group ? " wd-median" : ""}`}
            data-ratio={10 ** log}
            style={{ left: `${(share(domain, log) * 100).toFixed(2)}%` }}
          />
        )}
        {status !== OK && words && (words.bad || !has) && <Mark status={status} aside={has} />}
      </div>
      {!small && (
        <div
          class={`ly-number${bad?.bad && Number.isNaN(weight) ? " ly-bad" : ""}`}
          role="gridcell"
        >
          {Number.isNaN(weight) ? bad?.mark : number(10 ** weight)}
        </div>
      )}
      <div class="ly-number wd-factor" role="gridcell">
        {Number.isNaN(weight) || Number.isNaN(start) ? "" : factor(weight - start)}
      </div>
    </>
  );
}
