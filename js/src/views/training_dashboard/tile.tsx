import type { JSX } from "preact";
import { wordOf } from "../../run";
import { type Finding, Icon, number, percent } from "../../ui";
import { sparkOf } from "./spark";
import type { Vital } from "./store";

const TITLE: Record<string, string> = {
  loss: "Loss",
  gradients: "Gradients",
  activations: "Activations",
  weights: "Weights",
};
/** The number is a share of a whole. */
const SHARES = new Set(["activations"]);

interface Props {
  vital: Vital;
  /** Its findings, worst first. */
  findings: readonly Finding[];
  /** No step has been seen: nothing can be said. */
  waiting: boolean;
  onOpen: () => void;
}

/** One pillar: what is wrong with it in a word, its key number, and how that went. */
export function Tile({ vital, findings, waiting, onOpen }: Props): JSX.Element {
  const [worst] = findings;
  const newest = vital.values[vital.values.length - 1];
  const title = TITLE[vital.name] ?? vital.name;
  const spark = sparkOf(vital.steps, vital.values);
  const codes = [...new Set(findings.map(({ code }) => wordOf(code)))];
  const empty = vital.values.length === 0;
  const said = worst ? codes.join(", ") : empty ? (waiting ? "waiting" : "no data") : "no finding";
  return (
    <button
      type="button"
      class={`td-tile td-${worst?.severity ?? (empty ? "empty" : "ok")}`}
      data-vital={vital.name}
      data-severity={worst?.severity ?? ""}
      title={`Show the ${title.toLowerCase()} below`}
      onClick={onOpen}
    >
      <span class="td-title">{title}</span>
      <span class="td-word">
        {worst ? <Icon name={worst.severity} size={13} /> : !empty && <b aria-hidden="true">✓</b>}
        <span>{said}</span>
      </span>
      <span class="td-value">
        {newest === undefined ? "–" : SHARES.has(vital.name) ? percent(newest) : number(newest)}
      </span>
      <svg class="td-spark" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        {spark.broken.map((x) => (
          <path
            key={x}
            class="td-broken"
            d={`M${x * 100} 0V1`}
            vector-effect="non-scaling-stroke"
          />
        ))}
        <path d={spark.path} vector-effect="non-scaling-stroke" />
      </svg>
      <span class="td-label">
        {vital.label}
        {spark.log && " (log)"}
      </span>
    </button>
  );
}
