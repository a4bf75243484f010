import type { JSX } from "preact";
import { count, number } from "../../ui";
import type { Curve } from "./curves";

interface Props {
  now: Curve;
  /** The model as it is, where something else is shown. */
  before: Curve | null;
}

/** ECE against chance, and the other numbers, each as it is and at the slider's temperature. */
export function Numbers({ now, before }: Props): JSX.Element {
  const { n = 0, mce_bin: worst = -1 } = now.numbers;
  const rows: [string, string, string][] = [
    ["ece", "ECE", "Expected calibration error: mean gap, bins weighted by their samples"],
    ["mce", "MCE", "Maximum calibration error: the largest gap of a bin, however few its samples"],
    ["brier", "Brier score", "Mean squared error of all probabilities; smaller is better"],
    ["nll", "NLL", "Mean negative log-likelihood of the true classes; smaller is better"],
  ];
  return (
    <div class="cal-numbers">
      <Gauge {...{ now, before }} />
      <table>
        <thead>
          <tr>
            <th scope="col">{count(n)} samples</th>
            {before && <th scope="col">as it is</th>}
            <th scope="col">{before ? `at T = ${number(now.temperature)}` : "as it is"}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, word, title]) => (
            <tr key={name} data-number={name} data-value={now.numbers[name]}>
              <th scope="row" title={title}>
                {word}
                {name === "mce" && worst >= 0 && (
                  <span class="nbd-muted"> ({count(now.counts[worst] ?? 0)} in that bin)</span>
                )}
              </th>
              {before && <td class="nbd-muted">{number(before.numbers[name] ?? Number.NaN)}</td>}
              <td>{number(now.numbers[name] ?? Number.NaN)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const GAUGE = 12;

/** ECE on a line, with what chance alone would show as a band. */
function Gauge({ now, before }: Props): JSX.Element | null {
  const { ece = Number.NaN, floor_low: low = 0, floor_high: high = 0, floor = 0 } = now.numbers;
  if (!Number.isFinite(ece)) return null;
  const past = before?.numbers.ece ?? 0;
  const most = Math.max(ece, past, high * 1.5, 1e-6) * 1.08;
  const at = (value: number) => `${(100 * value) / most}%`;
  return (
    <div class="cal-gauge">
      <svg
        width="100%"
        height={GAUGE * 2}
        role="img"
        aria-label={`ECE ${number(ece)}; a perfectly calibrated model shows ${number(low)} to ${number(high)}`}
      >
        <line class="cal-rail" x1="0" x2="100%" y1={GAUGE} y2={GAUGE} />
        <rect
          class="cal-floor"
          x={at(low)}
          width={at(high - low)}
          y={GAUGE - 7}
          height={14}
          rx={2}
        />
        <line class="cal-mean" x1={at(floor)} x2={at(floor)} y1={GAUGE - 7} y2={GAUGE + 7} />
        {before && <circle class="cal-before" cx={at(past)} cy={GAUGE} r={4} />}
        <circle class={ece > high ? "cal-beyond" : "cal-within"} cx={at(ece)} cy={GAUGE} r={5.5} />
      </svg>
      <p class="nbd-muted">
        <span class={ece > high ? "cal-dot cal-beyond" : "cal-dot cal-within"} /> ECE here{" "}
        <span class="cal-key" /> of a perfectly calibrated model at this N: {number(low, 2)} to{" "}
        {number(high, 2)}
      </p>
    </div>
  );
}
