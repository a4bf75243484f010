import type { ComponentChildren, JSX } from "preact";
import type { Link, Pending } from "../wire";
import { type Failure, type Finding, Findings } from "./findings";

export type State =
  | "waiting"
  | "live"
  | "busy"
  | "paused"
  | "done"
  | "ready"
  | "failed"
  | "offline"
  | "disconnected"
  | "saved";

const WORDS: Record<State, { word: string; mark: string; title: string }> = {
  waiting: { word: "waiting", mark: "○", title: "No data has come yet" },
  live: { word: "live", mark: "●", title: "New data is coming in" },
  busy: { word: "busy", mark: "◌", title: "The kernel is working on it" },
  paused: { word: "paused", mark: "❚❚", title: "Sampling is paused" },
  done: { word: "done", mark: "✓", title: "The run has ended" },
  ready: { word: "ready", mark: "✓", title: "Everything is here" },
  failed: { word: "probe off", mark: "▲", title: "A probe failed and switched itself off" },
  offline: {
    word: "offline",
    mark: "⌁",
    title: "The connection to the server is down. This is the last picture that came.",
  },
  disconnected: {
    word: "disconnected",
    mark: "✕",
    title:
      "The kernel ended or was restarted. This is the last picture it sent; run the cell again.",
  },
  saved: {
    word: "saved picture",
    mark: "▣",
    title: "There is no kernel on this page. What is shown was saved with it.",
  },
};

const LOST: ReadonlySet<State> = new Set(["offline", "disconnected", "saved"]);

/** The state to show: a lost connection says more than what the kernel said last. */
export function stateWith(link: Link, state: State): State {
  return link === "live" ? state : link;
}

interface Props {
  title: string;
  source?: string;
  state: State;
  /** Beside the state: "step 120". Short. */
  status?: ComponentChildren;
  findings?: readonly Finding[];
  failures?: readonly Failure[];
  onSubject?: (subject: string) => void;
  knows?: (subject: string) => boolean;
  controls?: ComponentChildren;
  /** What the picture rests on: an item each, joined by dots. Empty ones are left out. */
  foot?: readonly (string | null | undefined | false)[];
  /** One line under the header, in words; for what the user should know beside the findings. */
  note?: string | null;
  /** An error of the last request, shown until `onDismiss`. */
  error?: string | null;
  onDismiss?: () => void;
  children: ComponentChildren;
}

/** The frame of every widget: header, findings, picture, controls, foot. */
export function Panel(props: Props): JSX.Element {
  const { title, source, state, status, controls, foot = [], note, error, onDismiss } = props;
  const chip = WORDS[state];
  const items = foot.filter((item): item is string => Boolean(item));
  return (
    <>
      <header class="nbd-header">
        <h2>{title}</h2>
        {source && (
          <span class="nbd-source" title={source}>
            {source}
          </span>
        )}
        <span class="nbd-now">
          <span class="nbd-status">{status}</span>
          <span class={`nbd-chip nbd-chip-${state}`} title={chip.title} role="status">
            <span aria-hidden="true">{chip.mark}</span> {chip.word}
          </span>
        </span>
      </header>
      <Findings
        findings={props.findings ?? []}
        failures={props.failures}
        onSubject={props.onSubject}
        knows={props.knows}
      />
      {error && (
        <p class="nbd-error" role="alert">
          {error}
          {onDismiss && (
            <button type="button" class="nbd-link" onClick={onDismiss}>
              Dismiss
            </button>
          )}
        </p>
      )}
      {LOST.has(state) && <p class="nbd-note">{chip.title}</p>}
      {note && <p class="nbd-note">{note}</p>}
      <div class="nbd-picture">{props.children}</div>
      {controls && <div class="nbd-controls">{controls}</div>}
      {items.length > 0 && (
        <footer class="nbd-foot">
          {items.map((item) => (
            <span key={item}>{item}</span>
          ))}
        </footer>
      )}
    </>
  );
}

/** A calm place-holder where the picture will be. */
export function Empty({ title, text }: { title: string; text?: string }): JSX.Element {
  return (
    <div class="nbd-empty">
      <p>{title}</p>
      {text && <p class="nbd-muted">{text}</p>}
    </div>
  );
}

/** "takes effect when the cell ends" beside the control that waits, or nothing. */
export function Deferred({ pending }: { pending: readonly Pending[] }): JSX.Element | null {
  const reason = pending.find((request) => request.deferred)?.deferred;
  return reason ? (
    <span class="nbd-deferred" role="status">
      {reason}
    </span>
  ) : null;
}
