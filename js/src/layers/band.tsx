import type { JSX } from "preact";
import { power } from "../ui";
import { type Domain, share } from "./scale";

/** Exponents between which updates over weights usually lie, and the usual rule of thumb. */
export const BAND = { low: -4, high: -2, usual: -3 } as const;

/** The band behind a column with a log axis. It is a help to read it and no judgement. */
export function HealthyBand({ domain, column }: { domain: Domain; column: number }): JSX.Element {
  const [low, high] = [share(domain, BAND.low), share(domain, BAND.high)];
  const at = (s: number) => `${(s * 100).toFixed(2)}%`;
  return (
    <div class="ly-band" style={{ gridColumn: column }}>
      <span style={{ left: at(low), width: at(high - low) }} />
      <i style={{ left: at(share(domain, BAND.usual)) }} />
    </div>
  );
}

export function HealthyKey(): JSX.Element {
  return (
    <li title="A rule of thumb of the field, not a measurement of this model: updates of about a thousandth of the weights a step. Fine-tuning lies below it and the first steps often above.">
      <i class="ly-key ly-key-band" /> {power(BAND.low)} to {power(BAND.high)}: where updates
      usually lie, about {power(BAND.usual)} (rule of thumb, no verdict)
    </li>
  );
}
