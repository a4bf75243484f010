import { axisEnd, share, ticks } from "../../slices";
import { count, Icon, keys, Name, number } from "../../ui";
import type { Mode } from "./store";

interface Props {
  modes: readonly Mode[];
  chosen: string | null;
  onChoose: (name: string | null) => void;
}

/** A bar a category: its share of the errors; a mark where its share of the samples is. */
export function Bars({ modes, chosen, onChoose }: Props) {
  const end = axisEnd(modes.flatMap((mode) => [mode.share ?? 0, mode.samples_share]));
  const at = (value: number) => `${(100 * Math.min(1, value / end)).toFixed(3)}%`;
  const move = (step: number) => (event: KeyboardEvent) => {
    const list = event.currentTarget as HTMLElement;
    const buttons = [...list.querySelectorAll<HTMLElement>("[data-mode]")];
    const next = buttons.indexOf(document.activeElement as HTMLElement) + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, next))]?.focus();
  };
  return (
    <section class="fm-bars" aria-label="Categories of errors">
      <div class="fm-row fm-head">
        <span>category</span>
        <span class="fm-axis" aria-hidden="true">
          {ticks(end).map((tick) => (
            <i key={tick} style={{ left: at(tick) }}>{`${+(100 * tick).toFixed(1)} %`}</i>
          ))}
        </span>
        <span class="fm-number">of errors</span>
        <span class="fm-number">lift</span>
        <span class="fm-number">errors / samples</span>
      </div>
      <ol
        onKeyDown={keys({
          ArrowDown: move(1),
          ArrowUp: move(-1),
        })}
      >
        {modes.map((mode) => (
          <li key={mode.name}>
            <button
              type="button"
              class={`fm-row${mode.rest ? " fm-rest" : ""}${mode.concentrated ? " fm-hot" : ""}`}
              data-mode={mode.name}
              data-errors={mode.errors}
              data-concentrated={mode.concentrated}
              aria-pressed={mode.name === chosen}
              aria-label={said(mode)}
              title={said(mode)}
              onClick={() => onChoose(mode.name)}
            >
              <span class="fm-name">
                <Name name={mode.name} max={28} />
                {mode.concentrated && (
                  <b class="fm-mark">
                    <Icon name="critical" size={11} /> concentrated
                  </b>
                )}
                <Note mode={mode} />
              </span>
              <span class="fm-track" aria-hidden="true">
                <i class="fm-bar" style={{ width: at(mode.share ?? 0) }} />
                <i class="fm-samples" style={{ left: at(mode.samples_share) }} />
              </span>
              <span class="fm-number">{share(mode.share)}</span>
              <span class="fm-number fm-lift">
                {mode.lift === null ? "–" : `×${times(mode.lift)}`}
                {mode.lift !== null && mode.lift_low !== null && (
                  <small>
                    {times(mode.lift_low)} to{" "}
                    {mode.lift_high === null ? "∞" : times(mode.lift_high)}
                  </small>
                )}
              </span>
              <span class="fm-number nbd-muted">
                {count(mode.errors)} / {count(mode.n)}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <p class="fm-legend nbd-muted">
        <i class="fm-key fm-bar" aria-hidden="true" /> share of the errors
        <i class="fm-key fm-samples" aria-hidden="true" /> share of the samples
        <span>a bar beyond its mark errs more often than all</span>
      </p>
    </section>
  );
}

function Note({ mode }: { mode: Mode }) {
  if (mode.rest) return <small>in no category</small>;
  if (mode.n === 0) return <small>no sample fits</small>;
  if (mode.by_answer) return <small>told what is wrong: not judged</small>;
  if (!mode.concentrated && mode.explained) return <small>explained by {mode.explained}</small>;
  return null;
}

export function times(value: number): string {
  return value === 0 ? "0" : number(value, value >= 10 ? 3 : 2);
}

function said(mode: Mode): string {
  const often = mode.rate === null ? "" : `, ${share(mode.rate)} of its samples are wrong`;
  return (
    `${mode.name}: ${count(mode.errors)} errors, ${share(mode.share)} of all, ` +
    `with ${share(mode.samples_share)} of the samples${often}`
  );
}
