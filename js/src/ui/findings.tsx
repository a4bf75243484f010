import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons";

export type Severity = "info" | "warning" | "critical";

export interface Finding {
  code: string;
  severity: Severity;
  subject: string;
  message: string;
  remedy: string;
  /** The numbers it rests on. */
  evidence: Record<string, unknown>;
}

export interface Failure {
  probe: string;
  reason: string;
}

const WORD: Record<Severity, string> = { info: "Note", warning: "Warning", critical: "Critical" };
const ORDER: readonly Severity[] = ["critical", "warning", "info"];

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Reads the `findings` trait, worst first. What has no message is left out. */
export function readFindings(value: unknown): Finding[] {
  if (!Array.isArray(value)) return [];
  return value
    .map((item: Record<string, unknown>) => ({
      code: text(item?.code),
      severity: ORDER.find((s) => s === item?.severity) ?? "info",
      subject: text(item?.subject),
      message: text(item?.message),
      remedy: text(item?.remedy),
      evidence: (item?.evidence ?? {}) as Record<string, unknown>,
    }))
    .filter((finding) => finding.message !== "")
    .sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** Reads the `failures` trait: probes that switched themselves off. */
export function readFailures(value: unknown): Failure[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: Record<string, unknown>) => ({
    probe: text(item?.probe) || "probe",
    reason: text(item?.reason) || "no reason was given",
  }));
}

interface Props {
  findings: readonly Finding[];
  failures?: readonly Failure[];
  /** Called with a finding's subject; gives the subject a button. */
  onSubject?: (subject: string) => void;
  /** Whether `onSubject` can do something with a subject. */
  knows?: (subject: string) => boolean;
}

const FOLDED = 2;

/** What is wrong, in words: the worst findings first, each remedy on demand. */
export function Findings({ findings, failures = [], onSubject, knows }: Props): JSX.Element | null {
  const [all, setAll] = useState(false);
  const shown = all ? findings : findings.slice(0, FOLDED);
  if (findings.length === 0 && failures.length === 0) return null;
  return (
    <ul class="nbd-findings" aria-label="Findings">
      {failures.map((failure) => (
        <li key={failure.probe} class="nbd-finding nbd-warning" data-failure={failure.probe}>
          <Icon name="warning" size={14} />
          <p>
            <b>Probe off</b> {failure.probe} switched itself off: {failure.reason}
          </p>
        </li>
      ))}
      {shown.map((finding) => (
        <Item
          key={`${finding.code} ${finding.subject}`}
          finding={finding}
          onSubject={onSubject && (knows?.(finding.subject) ?? true) ? onSubject : undefined}
        />
      ))}
      {findings.length > FOLDED && (
        <li class="nbd-more">
          <button type="button" class="nbd-link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer findings" : `Show ${findings.length - FOLDED} more`}
          </button>
        </li>
      )}
    </ul>
  );
}

function Item({ finding, onSubject }: { finding: Finding; onSubject?: (s: string) => void }) {
  const [open, setOpen] = useState(false);
  const { severity, code, message, remedy, subject } = finding;
  return (
    <li class={`nbd-finding nbd-${severity}`} data-code={code} data-severity={severity}>
      <Icon name={severity} size={14} />
      <div>
        <p>
          <b>{WORD[severity]}</b> {message}{" "}
          <span class="nbd-finding-actions">
            {remedy && (
              <button
                type="button"
                class="nbd-link"
                aria-expanded={open}
                onClick={() => setOpen(!open)}
              >
                {open ? "Hide remedy" : "What to do"}
              </button>
            )}
            {onSubject && subject && (
              <button type="button" class="nbd-link" onClick={() => onSubject(subject)}>
                Show
              </button>
            )}
          </span>
        </p>
        {open && <p class="nbd-remedy">{remedy}</p>}
      </div>
    </li>
  );
}
