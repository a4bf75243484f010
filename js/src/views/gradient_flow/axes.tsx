import type { JSX } from "preact";
import { count, gradient, power, type Scale, Slider } from "../../ui";
import { type Domain, share, stepTicks, ticks } from "./scale";
import { FROZEN, INF, NAN, NONE, STATUS, ZERO } from "./status";

/** A label under an axis, moved inwards where it would hang over an end. */
function Label({ at, width, text }: { at: number; width: number; text: string }): JSX.Element {
  const half = [...text].length * 3.6;
  const over = Math.max(0, at * width + half - width) - Math.max(0, half - at * width);
  return (
    <span style={{ left: `${at * 100}%`, marginLeft: over ? `${-over}px` : undefined }}>
      {text}
    </span>
  );
}

/** The bars' axis is the legend of both pictures: length and colour say the same. */
export function ValueAxis(props: { domain: Domain; scale: Scale; width: number }): JSX.Element {
  const { domain, scale, width } = props;
  return (
    <div class="gf-axis">
      <div class="gf-strip" style={{ background: gradient(scale) }} />
      <div class="gf-labels">
        {ticks(domain, width / 42).map((exponent) => (
          <Label key={exponent} at={share(domain, exponent)} width={width} text={power(exponent)} />
        ))}
      </div>
    </div>
  );
}

interface StepAxisProps {
  first: number;
  last: number;
  newest: number;
  step: number;
  width: number;
  onStep: (step: number) => void;
}

export function StepAxis({ first, last, newest, step, width, onStep }: StepAxisProps): JSX.Element {
  const place = (s: number) => (s - first) / (last - first);
  return (
    <div class="gf-axis">
      <div class="gf-slider" style={{ width: `calc(${place(newest) * 100}% + 14px)` }}>
        {newest > first && (
          <Slider
            label="Step shown"
            text={`step ${count(step)}`}
            min={first}
            max={newest}
            value={step}
            onInput={onStep}
          />
        )}
      </div>
      <div class="gf-labels">
        {stepTicks(first, newest, Math.max(2, width / 70)).map((s) => (
          <Label key={s} at={place(s)} width={width} text={count(s)} />
        ))}
      </div>
    </div>
  );
}

const LISTED = [NAN, INF, NONE, FROZEN, ZERO];

interface LegendProps {
  seen: ReadonlySet<number>;
  groups: boolean;
  ranges: boolean;
}

/** What the marks mean: only those that are in the picture. */
export function Legend({ seen, groups, ranges }: LegendProps): JSX.Element {
  return (
    <ul class="gf-legend" aria-label="Legend">
      {ranges && (
        <li>
          <i class="gf-key gf-key-range" /> lowest to highest over the run
        </li>
      )}
      {groups && (
        <li>
          <i class="gf-key gf-key-ticks" /> closed group: the bar is the median, each tick one layer
        </li>
      )}
      {LISTED.filter((status) => seen.has(status)).map((status) => (
        <li key={status}>
          <i class={`gf-key gf-mark-${status}`} /> {STATUS[status]?.text}
        </li>
      ))}
    </ul>
  );
}
