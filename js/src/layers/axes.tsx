import type { ComponentChildren, JSX } from "preact";
import { AxisLabel } from "../run";
import { power } from "../ui";
import { type Domain, share, tickStep, ticks } from "./scale";
import { FROZEN, INF, NAN, NONE, STATUS, ZERO } from "./status";

interface AxisProps {
  domain: Domain;
  width: number;
  /** CSS background of the strip: where the axis is a colour scale as well. */
  strip?: string;
}

/** Room for a label, in pixels. */
const LABEL = 42;

/** A log axis, its labels powers of ten. */
export function LogAxis({ domain, width, strip }: AxisProps): JSX.Element {
  return (
    <div class="nbd-axis">
      <div class="ly-strip" style={{ background: strip }} />
      <div class="nbd-axis-labels">
        {ticks(domain, width / LABEL).map((exponent) => (
          <AxisLabel
            key={exponent}
            at={share(domain, exponent)}
            width={width}
            text={power(exponent)}
          />
        ))}
      </div>
    </div>
  );
}

interface LinesProps {
  domain: Domain;
  width: number;
  column: number;
}

/** Vertical lines behind a column, at the decades that a `LogAxis` of that width labels. */
export function DecadeLines({ domain, width, column }: LinesProps): JSX.Element {
  const step = tickStep(domain, width / LABEL);
  const size = `calc((100% - 1px) * ${step / (domain.high - domain.low)}) 100%`;
  return <div class="ly-lines" style={{ gridColumn: column, backgroundSize: size }} />;
}

const LISTED = [NAN, INF, NONE, FROZEN, ZERO];

/** What the marks mean: only those that are in the picture. `children` are further items. */
export function Legend(props: {
  seen: ReadonlySet<number>;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <ul class="ly-legend" aria-label="Legend">
      {props.children}
      {LISTED.filter((status) => props.seen.has(status)).map((status) => (
        <li key={status}>
          <i class={`ly-key ly-mark-${status}`} /> {STATUS[status]?.text}
        </li>
      ))}
    </ul>
  );
}

/** A word in place of a bar, or beside it: "frozen", "NaN". */
export function Mark({ status, aside }: { status: number; aside: boolean }): JSX.Element | null {
  const words = STATUS[status];
  if (!words?.text) return null;
  return (
    <span class={`ly-mark${aside ? " ly-aside" : ""}${words.bad ? " ly-bad" : ""}`}>
      {LISTED.includes(status) && <i class={`ly-key ly-mark-${status}`} />} {words.text}
    </span>
  );
}
