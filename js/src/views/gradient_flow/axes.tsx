import type { JSX } from "preact";
import { count, gradient, power, type Scale, Slider } from "../../ui";
import { type Domain, share, stepTicks, ticks } from "./scale";
import { FROZEN, INF, NAN, NONE, OK, STATUS, ZERO } from "./status";

/** The bars' axis is the legend of both pictures: length and colour say the same. */
export function ValueAxis(props: { domain: Domain; scale: Scale; width: number }): JSX.Element {
  const { domain, scale, width } = props;
  return (
    <div class="gf-axis">
      <div class="gf-strip" style={{ background: gradient(scale) }} />
      <div class="gf-labels">
        {ticks(domain, width / 42).map((exponent) => (
          <span key={exponent} style={{ left: `${share(domain, exponent) * 100}%` }}>
            {power(exponent)}
          </span>
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
  const place = (s: number) => `${((s - first) / (last - first)) * 100}%`;
  return (
    <div class="gf-axis">
      <div class="gf-slider" style={{ width: `calc(${place(newest)} + 14px)` }}>
        <Slider
          label="Step shown"
          text={`step ${count(step)}`}
          min={first}
          max={Math.max(newest, first + 1)}
          value={step}
          onInput={onStep}
        />
      </div>
      <div class="gf-labels">
        {stepTicks(first, newest, Math.max(2, width / 70)).map((s) => (
          <span key={s} style={{ left: place(s) }}>
            {count(s)}
          </span>
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
          <i class="gf-key gf-key-range" /> lowest to highest so far
        </li>
      )}
      {groups && (
        <li>
          <i class="gf-key gf-key-ticks" /> closed group: bar = median, tick = one layer
        </li>
      )}
      {LISTED.filter((status) => status !== OK && seen.has(status)).map((status) => (
        <li key={status}>
          <i class={`gf-key gf-mark-${status}`} /> {STATUS[status]?.text}
        </li>
      ))}
    </ul>
  );
}
