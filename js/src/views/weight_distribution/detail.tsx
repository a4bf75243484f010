import type { JSX } from "preact";
import { gapAt, type History, type Info, type Node, OK, type Series, STATUS } from "../../layers";
import { count, number, plural, short } from "../../ui";
import { factor } from "./trend";

interface Props {
  node: Node;
  sample: number;
  step: number;
  info: Info;
  history: History;
  norm: Series;
  ratio: Series;
  start: number;
}

/** A row at a step in words. */
export function Detail(props: Props): JSX.Element {
  const { node, sample, info, history, norm, ratio, start } = props;
  const group = node.children.length > 0;
  const layer = group ? undefined : info.layers[node.layers[0] ?? 0];
  const weights = node.layers.reduce((sum, i) => sum + (info.layers[i]?.size ?? 0), 0);
  const [weight, change] = [norm.log[sample] ?? Number.NaN, ratio.log[sample] ?? Number.NaN];
  const gap = gapAt(history, props.step);
  const median = group ? "median " : "";
  const word = (series: Series) => STATUS[series.status[sample] ?? OK]?.text;
  const facts = [
    group ? plural(node.layers.length, "layer") : layer?.kind,
    weights > 0 && `${short(weights)} weights`,
    gap && `not sampled between step ${count(gap[0])} and step ${count(gap[1])}`,
    `step ${count(history.steps[sample] ?? 0)}:`,
    `${median}norm ${Number.isNaN(weight) ? word(norm) : number(10 ** weight)}${
      Number.isNaN(weight - start)
        ? ""
        : `, ${factor(weight - start)} since step ${count(history.steps[0] ?? 0)}`
    }`,
    `${median}update ÷ weights ${Number.isNaN(change) ? word(ratio) : number(10 ** change)}`,
    ratio.low <= ratio.high && `so far ${number(10 ** ratio.low)} to ${number(10 ** ratio.high)}`,
  ].filter((fact): fact is string => Boolean(fact));
  return (
    <>
      <b>{node.path}</b>
      {facts.map((fact) => (
        <div key={fact}>{fact}</div>
      ))}
    </>
  );
}
