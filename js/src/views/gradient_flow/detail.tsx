import type { JSX } from "preact";
import { count, number, plural, short } from "../../ui";
import type { History } from "./history";
import type { Metric, Series } from "./series";
import { OK, STATUS } from "./status";
import type { Info } from "./store";
import type { Node } from "./tree";

interface Props {
  node: Node;
  sample: number;
  info: Info;
  series: Series;
  history: History;
  metric: Metric;
  wide?: boolean;
}

/** A row at a step in words: in the tooltip, and below the picture for the row that is selected. */
export function Detail({ node, sample, info, series, history, metric, wide }: Props): JSX.Element {
  const group = node.children.length > 0;
  const layer = group ? undefined : info.layers[node.layers[0] ?? 0];
  const log = series.log[sample] ?? Number.NaN;
  const status = series.status[sample] ?? OK;
  const step = history.steps[sample] ?? 0;
  const what = metric === "norm" ? "gradient norm" : "gradient ÷ weight norm";
  const weights = info.layers.reduce(
    (sum, { size }, i) => sum + (node.layers.includes(i) ? size : 0),
    0,
  );
  const facts = [
    group ? plural(node.layers.length, "layer") : layer?.kind,
    weights > 0 && `${short(weights)} weights`,
    `step ${count(step)}: ${group ? "median " : ""}${what} ${
      Number.isNaN(log) ? STATUS[status]?.text : number(10 ** log)
    }`,
    STATUS[status]?.bad && !Number.isNaN(log) && `some layers ${STATUS[status]?.text}`,
    series.low <= series.high &&
      `so far ${number(10 ** series.low)} to ${number(10 ** series.high)}`,
  ].filter((fact): fact is string => Boolean(fact));
  if (wide) {
    return (
      <>
        <b>{node.path}</b> {facts.join(" · ")}
      </>
    );
  }
  return (
    <>
      <b>{node.path}</b>
      {facts.map((fact) => (
        <div key={fact}>{fact}</div>
      ))}
    </>
  );
}
