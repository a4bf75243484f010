import type { JSX } from "preact";
import { gapAt, type Node, OK, STATUS } from "../../layers";
import { count, number, percent, plural } from "../../ui";
import { sentences } from "./cells";
import type { Looks } from "./looks";
import { numbersAt } from "./series";
import type { Activation } from "./store";
import { blockAt, type Summary } from "./units";

interface Props {
  node: Node;
  members: readonly Activation[];
  looks: Looks;
  summary: Summary | null;
  sample: number;
  step: number;
}

/** A row at a step in words. */
export function Explain({ node, members, looks, summary, sample, step }: Props): JSX.Element {
  const now = numbersAt(looks, sample, node.layers);
  const gap = gapAt(looks, step);
  const only = members.length === 1 ? members[0] : undefined;
  const block = summary && only ? blockAt(summary, node.layers[0] ?? 0, step) : -1;
  const facts = [
    only
      ? `${only.kind}, ${plural(only.units, only.word)}`
      : `${plural(members.length, "activation")}, mean of them`,
    ...sentences(node, members, summary),
    gap && `not looked at between step ${count(gap[0])} and step ${count(gap[1])}`,
    `step ${count(looks.steps[sample] ?? 0)}: ${
      now.status === OK || !Number.isNaN(now.mean)
        ? `${percent(now.zeros)} zeros, mean ${number(now.mean)} ± ${number(now.std)}`
        : STATUS[now.status]?.text
    }`,
    members.some((one) => one.ends) &&
      !Number.isNaN(now.saturated) &&
      `${percent(now.saturated)} of the values at an end`,
    summary &&
      only &&
      block >= 0 &&
      `steps ${count(summary.first[block] as number)} to ${count(summary.last[block] as number)}, ${plural(summary.inputs[block] as number, "input")}: ${percent(summary.off[block] as number)} of the ${only.word}s ${only.bounded ? "stuck" : "never active"}`,
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
