import type { JSX } from "preact";
import { Name, percent } from "../../ui";
import { camState } from "./cam";
import type { Loaded } from "./pages";
import { type Over, PictureBox } from "./picture";
import { Content } from "./shown";
import type { Info } from "./types";
import { objectWords, quote, share } from "./words";

export type OverlayState = "ready" | "none" | "busy" | "failed" | "notfinite";

export const OVERLAY_WORDS: Record<Exclude<OverlayState, "ready">, string> = {
  none: "no positive evidence",
  busy: "computing…",
  failed: "no overlay",
  notfinite: "map not finite",
};

/** The state of a card's overlay; undefined where none is asked for. */
export function overlayState(over: Over | null, failed: boolean): OverlayState {
  if (over) return camState(over.cam);
  return failed ? "failed" : "busy";
}

export interface CardProps {
  loaded: Loaded;
  index: number;
  id: string;
  classes: readonly string[];
  kind: Info["pictures"]["kind"];
  width: number;
  over: Over | null;
  overlay: OverlayState | undefined;
  note: string | undefined;
  selected: boolean;
  editable: boolean;
  focused: boolean;
  style: JSX.CSSProperties;
  onToggle: () => void;
}

export function Card(props: CardProps): JSX.Element {
  const { loaded, classes, overlay, selected, editable, width, over, note } = props;
  const { sample, picture, shown } = loaded;
  const right = sample.true === sample.pred;
  return (
    <div
      id={props.id}
      role="option"
      class={`ex-card ex-${props.kind}${props.focused ? " ex-current" : ""}`}
      aria-selected={selected}
      aria-label={cardLabel(loaded, classes)}
      data-id={String(sample.id)}
      data-index={props.index}
      data-overlay={overlay}
      style={props.style}
    >
      {(props.kind === "tabular" || props.kind === "text") && (
        <div class="ex-card-content">
          <Content shown={shown} />
        </div>
      )}
      {props.kind === "image" && (
        <div class="ex-card-picture">
          <PictureBox
            picture={picture}
            width={width}
            height={width}
            label=""
            over={over}
            missing={shown.failed ?? "no picture"}
          />
          {overlay && overlay !== "ready" && (
            <span class={`ex-badge ex-badge-${overlay}`}>{OVERLAY_WORDS[overlay]}</span>
          )}
          {overlay === "ready" && over?.cam.object && (
            <span class="ex-badge" title={objectWords(over.cam.object)}>
              {percent(over.cam.object.share, 2)} on the object
            </span>
          )}
        </div>
      )}
      <input
        type="checkbox"
        class="ex-check"
        tabIndex={-1}
        aria-hidden="true"
        title={selected ? "Take out of the selection" : "Add to the selection"}
        checked={selected}
        disabled={!editable}
        onClick={(event) => {
          event.stopPropagation();
          props.onToggle();
        }}
      />
      <div class="ex-card-text">
        <Chance kind="pred" word={right ? "right" : "pred."} c={sample.pred} {...{ classes }}>
          {sample.p_pred}
        </Chance>
        {!right && (
          <Chance kind="true" word="true" c={sample.true} {...{ classes }}>
            {sample.p_true}
          </Chance>
        )}
        <span class="ex-id" title={String(sample.id)}>
          id <Name name={String(sample.id)} max={16} />
          {typeof sample.suggested === "number" && (
            <span class="ex-suggested" title="The label may be wrong: look at it before the model">
              {" "}
              · label {classes[sample.suggested]}?
            </span>
          )}
          {note && (
            <span class="ex-noted" title={note}>
              {" "}
              ✎ {note}
            </span>
          )}
        </span>
      </div>
    </div>
  );
}

interface ChanceProps {
  kind: "pred" | "true";
  word: string;
  c: number;
  classes: readonly string[];
  children: number | null;
}

/** A class, its probability in figures and as a bar. */
function Chance({ kind, word, c, classes, children: p }: ChanceProps) {
  const width = typeof p === "number" && Number.isFinite(p) ? p : 0;
  return (
    <span class={`ex-chance ex-${kind}`}>
      <span class="ex-chance-name">
        <span class="nbd-muted">{word} </span>
        {c < 0 ? <i>nothing</i> : <Name name={classes[c] ?? ""} max={11} />}
      </span>
      <span>{share(p)}</span>
      <span class="ex-bar">
        <span style={{ width: `${100 * width}%` }} />
      </span>
    </span>
  );
}

export function cardLabel({ sample }: Loaded, classes: readonly string[]): string {
  const name = (c: number) => (c < 0 ? "nothing finite" : quote(classes[c] ?? ""));
  return (
    `sample ${sample.id}: true ${name(sample.true)} ${share(sample.p_true)}, ` +
    `predicted ${name(sample.pred)} ${share(sample.p_pred)}`
  );
}
