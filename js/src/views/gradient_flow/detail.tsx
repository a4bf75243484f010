import type { JSX } from "preact";
import {
  gapAt,
  type History,
  type Info,
  type Metric,
  type Node,
  OK,
  type Series,
  STATUS,
} from "../../layers";
import { count, number, plural, short } from "../../ui";
import { rawLog } from "./clipping";
import { wordsOf } from "./metrics";

interface Props {
  node: Node;
  sample: number;
  /** Where the pointer is; the sample may lie before it. */
  step?: number;
  info: Info;
  series: Series;
  history: History;
  metric: Metric;
  /** Zeros and broken entries, where they are known. */
  more?: string | null;
  wide?: boolean;
}

/** A row at a step in words: in the tooltip, and below the picture for the row that is selected. */
export function Detail(props: Props): JSX.Element {
  const { node, sample, info, series, history, metric, wide } = props;
  const group = node.children.length > 0;
  const layer = group ? undefined : info.layers[node.layers[0] ?? 0];
  const log = series.log[sample] ?? Number.NaN;
  const status = series.status[sample] ?? OK;
  const step = history.steps[sample] ?? 0;
  const raw = metric === "norm" ? rawLog(history, node, sample) : Number.NaN;
  const gap = props.step === undefined ? null : gapAt(history, props.step);
  const weights = info.layers.reduce(
    (sum, { size }, i) => sum + (node.layers.includes(i) ? size : 0),
    0,
  );
  const clipped = !Number.isNaN(raw);
  const facts = [
    group ? plural(node.layers.length, "layer") : layer?.kind,
    weights > 0 && `${short(weights)} weights`,
    gap && `not sampled between step ${count(gap[0])} and step ${count(gap[1])}`,
    `step ${count(step)}: ${group ? "median " : ""}${wordsOf(metric).what} ${
      Number.isNaN(log) ? STATUS[status]?.text : number(10 ** log)
    }${clipped ? ` after clipping, ${number(10 ** raw)} before` : ""}`,
    STATUS[status]?.bad && !Number.isNaN(log) && `some layers ${STATUS[status]?.text}`,
    series.low <= series.high &&
      `so far ${number(10 ** series.low)} to ${number(10 ** series.high)}`,
    props.more,
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
