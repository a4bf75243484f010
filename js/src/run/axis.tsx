import type { JSX } from "preact";
import { count, Slider } from "../ui";

/** Round step numbers for a linear axis, at most `most`; its ends where not even two would fit. */
export function stepTicks(first: number, last: number, most: number): number[] {
  const span = Math.max(1, last - first);
  const raw = span / Math.max(1, most);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, ([1, 2, 5, 10].find((m) => m * magnitude >= raw) ?? 10) * magnitude);
  const out: number[] = [];
  for (let s = Math.ceil(first / step) * step; s <= last; s += step) out.push(s);
  return out.length < 2 && last > first ? [first, last] : out;
}

/** A label under an axis, moved inwards where it would hang over an end. */
export function AxisLabel({
  at,
  width,
  text,
}: {
  at: number;
  width: number;
  text: string;
}): JSX.Element {
  const half = [...text].length * 3.6;
  const over = Math.max(0, at * width + half - width) - Math.max(0, half - at * width);
  return (
    <span style={{ left: `${at * 100}%`, marginLeft: over ? `${-over}px` : undefined }}>
      {text}
    </span>
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

/** Steps under a picture, linear from `first` to `last`, with a slider on the one that is shown. */
export function StepAxis({ first, last, newest, step, width, onStep }: StepAxisProps): JSX.Element {
  const place = (s: number) => (s - first) / (last - first);
  return (
    <div class="nbd-axis">
      <div class="nbd-axis-slider" style={{ width: `calc(${place(newest) * 100}% + 14px)` }}>
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
      <div class="nbd-axis-labels">
        {stepTicks(first, newest, Math.max(2, width / 70)).map((s) => (
          <AxisLabel key={s} at={place(s)} width={width} text={count(s)} />
        ))}
      </div>
    </div>
  );
}
