import type { JSX } from "preact";
import { Mark, type Node, OK, STATUS } from "../../layers";
import { count, number, percent, plural } from "../../ui";
import type { Looks } from "./looks";
import { numbersAt } from "./series";
import type { Activation } from "./store";
import { DEAD, SILENT, STATES, STUCK, type Summary } from "./units";

/** (7,) units by state, over the activations of a row. */
export function countsOf(summary: Summary, activations: readonly number[]): number[] {
  return Array.from({ length: STATES }, (_, state) =>
    activations.reduce((sum, i) => sum + (summary.counts[i * STATES + state] as number), 0),
  );
}

/** "12 dead, 3 silent": the units that need a look. */
export function troubleOf(counts: readonly number[], members: readonly Activation[]): string {
  const parts: string[] = [];
  if (members.some((one) => !one.bounded)) {
    const word = members.every((one) => one.bounded || one.rectifies) ? "dead" : "never on";
    parts.push(`${count(counts[DEAD] ?? 0)} ${word}`);
    if (counts[SILENT]) parts.push(`${count(counts[SILENT])} silent`);
  }
  if (members.some((one) => one.bounded)) parts.push(`${count(counts[STUCK] ?? 0)} stuck`);
  return parts.join(", ");
}

/** Where there is room for one of them only: the first that is not zero. */
function worst(trouble: string): string {
  const parts = trouble.split(", ");
  return parts.find((part) => !part.startsWith("0 ")) ?? parts[0] ?? "";
}

interface Props {
  node: Node;
  members: readonly Activation[];
  summary: Summary | null;
  looks: Looks;
  sample: number;
  small: boolean;
}

/** Units by state as a bar and in words, then the numbers of the look that is shown. */
export function RowCells(props: Props): JSX.Element {
  const { node, members, summary, looks, sample, small } = props;
  const counts = summary ? countsOf(summary, node.layers) : [];
  const total = counts.reduce((a, b) => a + b, 0);
  const now = numbersAt(looks, sample, node.layers);
  const bad = now.status !== OK && STATUS[now.status]?.bad;
  const trouble = summary && total > 0 ? troubleOf(counts, members) : "";
  return (
    <>
      <div class="ly-bar as-units" role="gridcell" aria-label={trouble}>
        {counts.map((n, state) =>
          n > 0 ? (
            <i key={state} class={`as-state as-state-${state}`} style={{ flexGrow: n }} />
          ) : null,
        )}
      </div>
      <div class="as-words" role="gridcell" title={`${trouble} of ${count(total)}`}>
        {small ? worst(trouble) : trouble}
        {!small && total > 0 && <small> of {count(total)}</small>}
      </div>
      {!small && (
        <>
          <div class="ly-number" role="gridcell">
            {percent(now.zeros, 2)}
          </div>
          <div class="ly-number" role="gridcell">
            {members.some((one) => one.ends) ? percent(now.saturated, 2) : "–"}
          </div>
          <div class="ly-number as-mean" role="gridcell">
            {bad ? (
              <Mark status={now.status} aside={false} />
            ) : (
              !Number.isNaN(now.mean) && (
                <>
                  {number(now.mean, 2)} <small>± {number(now.std, 2)}</small>
                </>
              )
            )}
          </div>
        </>
      )}
    </>
  );
}

/** "dead: 12 of 64 units never active in 25,600 inputs", and what else is to be said of a row. */
export function sentences(
  node: Node,
  members: readonly Activation[],
  summary: Summary | null,
): string[] {
  if (!summary) return [];
  const counts = countsOf(summary, node.layers);
  const total = counts.reduce((a, b) => a + b, 0);
  const word = members.every((one) => one.word === "channel") ? "channel" : "unit";
  const of = `of ${plural(total, word)}`;
  const seen = [...new Set(node.layers.map((i) => summary.seen[i] as number))].sort(
    (a, b) => a - b,
  );
  const low = count(seen[0] ?? 0);
  const inputs = seen.length > 1 ? `${low} to ${count(seen.at(-1) ?? 0)} inputs` : `${low} inputs`;
  const out: string[] = [];
  const rectifies = members.every((one) => one.rectifies || one.bounded);
  if (members.some((one) => !one.bounded)) {
    const dead = count(counts[DEAD] ?? 0);
    out.push(
      rectifies
        ? `dead: ${dead} ${of} never active in ${inputs}`
        : `${dead} ${of} never above zero in ${inputs}`,
    );
    if (counts[SILENT]) {
      out.push(`${count(counts[SILENT])} active at first and not in the later half of the inputs`);
    }
  }
  if (members.some((one) => one.bounded)) {
    out.push(
      `stuck: ${count(counts[STUCK] ?? 0)} ${of} at an end for 90 % of the values in the later half of ${inputs}`,
    );
  }
  return out;
}
