import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { type Answer, useReply } from "../run";
import { Select, shorten } from "../ui";
import type { Requests } from "../wire";
import { decodeHistograms, type Histograms } from "./histograms";
import { Ridge } from "./ridge";
import type { Layer } from "./store";

interface Props {
  requests: Requests;
  layer: Layer;
  kind: "weight" | "gradient";
  /** Changes when there are newer histograms. */
  version: number;
  /** The step that the rest of the widget shows. */
  step: number;
  height: number;
  /** What came with the snapshot, and for which parameter. */
  given?: { parameter: string; histograms: Histograms } | null;
  /** False where nobody can answer. */
  connected: boolean;
  /** Further controls in the heading. */
  children?: ComponentChildren;
}

/** The histograms of one parameter of a layer over time. */
export function Distribution(props: Props): JSX.Element {
  const { requests, layer, kind, version, step, height, given, connected } = props;
  const [wanted, setWanted] = useState("");
  const parameter = layer.parameters.includes(wanted) ? wanted : (layer.parameters[0] ?? "");
  const fits = given && given.parameter === parameter ? given.histograms : null;
  const answer = useReply({
    requests,
    name: "histograms",
    args: connected && parameter ? { parameter, kind } : null,
    version,
    read: decodeHistograms,
  });
  const shown = answer.value ?? fits;
  const what = kind === "weight" ? "weights" : "gradient entries";
  return (
    <section class="ly-distribution" aria-label={`Histograms of ${parameter}`}>
      <div class="ly-distribution-head">
        <b title={parameter}>{shorten(layer.name || "(model)", 34)}</b>
        {layer.parameters.length > 1 ? (
          <Select<string>
            label="Parameter"
            value={parameter}
            options={layer.parameters.map((value) => ({ value, text: own(value, layer.name) }))}
            onChange={setWanted}
          />
        ) : (
          <span class="nbd-muted">{own(parameter, layer.name)}</span>
        )}
        {props.children}
      </div>
      {shown && shown.steps.length > 0 ? (
        <>
          <Ridge histograms={shown} height={height} step={step} what={what} label={parameter} />
          <p class="ly-caption">
            Distribution of the {what} by step, newest in front. Each curve is scaled to its own
            peak; the axis holds the middle 99 % of each.
          </p>
        </>
      ) : (
        <p class="ly-caption">{reason(answer, shown, connected, what)}</p>
      )}
    </section>
  );
}

/** The parameter's own name within its layer: "weight". */
function own(parameter: string, layer: string): string {
  return layer && parameter.startsWith(`${layer}.`) ? parameter.slice(layer.length + 1) : parameter;
}

function reason(
  answer: Answer<Histograms>,
  shown: Histograms | null,
  connected: boolean,
  what: string,
): string {
  if (answer.error) return answer.error;
  if (shown) return `No histogram of these ${what} yet: none was recorded with numbers in it.`;
  if (!connected) return "Its histograms are in the kernel, and there is none to ask.";
  return "Asking for the histograms …";
}
