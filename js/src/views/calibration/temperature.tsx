import type { JSX } from "preact";
import { Button, number, Slider } from "../../ui";
import { type Curve, nearest, same } from "./curves";
import type { Fitted, Info } from "./store";

interface Props {
  info: Info;
  curves: readonly Curve[];
  at: number;
  onMove: (temperature: number) => void;
}

/** The slider over temperatures, 1 and the fitted one marked. */
export function Temperature({ info, curves, at, onMove }: Props): JSX.Element {
  const { fitted, fixed } = info;
  const last = Math.max(1, curves.length - 1);
  const index = curves.length > 0 ? nearest(curves, at) : 0;
  const share = (value: number) => nearest(curves, value) / last;
  const jump = (value: number) => onMove(value);
  return (
    <div class="cal-temperature">
      <div class="cal-temperature-head">
        <span>
          Temperature <b>{number(at)}</b>{" "}
          <span class="nbd-muted">
            {same(at, 1) ? "as it is" : at > 1 ? "logits divided: softer" : "logits divided: surer"}
          </span>
        </span>
        <span class="cal-jumps">
          <Button onClick={() => jump(1)} disabled={Boolean(fixed)} pressed={same(at, 1)}>
            As it is
          </Button>
          {fitted && (
            <Button
              onClick={() => jump(fitted.value)}
              disabled={Boolean(fixed)}
              pressed={same(at, fitted.value)}
              title={interval(fitted)}
            >
              Fitted: {number(fitted.value)}
            </Button>
          )}
        </span>
      </div>
      {fixed ? (
        <p class="nbd-muted">The temperature cannot be changed: {fixed}.</p>
      ) : curves.length === 0 ? (
        <p class="nbd-muted">Counting at other temperatures…</p>
      ) : (
        <div class="cal-track">
          <Slider
            label="Temperature"
            value={index}
            min={0}
            max={last}
            text={number(at)}
            onInput={(i) => {
              const chosen = curves[i];
              if (chosen) onMove(chosen.temperature);
            }}
          />
          <div class="cal-marks" aria-hidden="true">
            <Mark share={0} text={number(curves[0]?.temperature ?? 0)} />
            {near(share(1), fitted ? share(fitted.value) : -1) ? null : (
              <Mark share={share(1)} text="1" strong />
            )}
            {fitted && (
              <Mark share={share(fitted.value)} text={`▲ fitted ${number(fitted.value)}`} strong />
            )}
            <Mark share={1} text={number(curves.at(-1)?.temperature ?? 0)} />
          </div>
        </div>
      )}
    </div>
  );
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 0.04;
}

function Mark({ share, text, strong }: { share: number; text: string; strong?: boolean }) {
  return (
    <span
      class={strong ? "cal-mark cal-strong" : "cal-mark"}
      style={{ left: `calc(7px + (100% - 14px) * ${share.toFixed(4)})` }}
      data-share={share < 0.06 ? "start" : share > 0.94 ? "end" : "middle"}
    >
      {text}
    </span>
  );
}

function interval({ low, high }: Fitted): string {
  return low === null || high === null ? "" : `95 %: ${number(low)} to ${number(high)}`;
}
