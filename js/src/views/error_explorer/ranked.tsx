import { useMemo, useState } from "preact/hooks";
import { count, css, Name, shortenAll, useTheme } from "../../ui";
import { changeColour, errorScale } from "./colours";
import type { Confusion, RankedError } from "./confusion";
import { changeLevel, errorLevel, type Shown } from "./matrix_paint";
import { type Cell, NOT_FINITE, sameCell } from "./types";
import { cellLabel, share as shareText, signed } from "./words";

const FOLDED = 10;
/** Names longer than this want a line of their own for their pair. */
const LONG = 9;

interface Props {
  errors: readonly RankedError[];
  matrix: Confusion;
  classes: readonly string[];
  shown: Shown;
  opened: Cell | null;
  onOpen: (cell: Cell) => void;
  onPoint: (cell: Cell | null) => void;
  /** Whether `errors` are all there are. */
  complete: boolean;
}

/** The largest confusions as a list: what makes a hundred classes readable. */
export function Ranked(props: Props) {
  const { errors, matrix, classes, shown, opened, onOpen, onPoint, complete } = props;
  const [all, setAll] = useState(false);
  const compared = shown === "change";
  const title = compared ? "Largest changes" : "Largest confusions";
  const shownErrors = all ? errors : errors.slice(0, FOLDED);
  const scale = errorScale(useTheme());
  const names = useMemo(() => shortenAll(classes, 24), [classes]);
  const roomy = shownErrors.some(({ cell }) =>
    cell.some((c) => [...(names[c] ?? "")].length > LONG),
  );
  const name = (c: number) => (
    <span class={(names[c] ?? "").length > LONG ? "ex-shrinks" : ""}>
      <Name name={classes[c] ?? ""} text={names[c]} />
    </span>
  );
  return (
    <section
      class={`ex-ranked${all ? " ex-long" : ""}${roomy ? " ex-roomy" : ""}`}
      aria-label={title}
    >
      <h3>
        {title} <span class="nbd-muted ex-hint">true → predicted</span>
      </h3>
      {errors.length === 0 && (
        <p class="nbd-muted">
          {compared
            ? "Every cell holds as many samples as before."
            : "No errors: every sample is on the diagonal."}
        </p>
      )}
      <ol onPointerLeave={() => onPoint(null)}>
        {shownErrors.map(({ cell, count: n, share }) => {
          const level = compared ? changeLevel(matrix, cell) : errorLevel(matrix, cell, shown);
          const fill = compared ? changeColour(level) : scale(level);
          return (
            <li key={cell.join(",")}>
              <button
                type="button"
                data-ranked={cell.join(",")}
                aria-pressed={sameCell(cell, opened)}
                aria-label={cellLabel(cell, matrix, classes)}
                onClick={() => onOpen(cell)}
                onPointerEnter={() => onPoint(cell)}
                onFocus={() => onPoint(cell)}
                onBlur={() => onPoint(null)}
              >
                <span class="ex-pair">
                  {name(cell[0])}
                  <span class="nbd-muted">→</span>
                  {cell[1] === NOT_FINITE ? <i>not finite</i> : name(cell[1])}
                </span>
                <span class="ex-amount">
                  {compared ? signed(matrix.change?.(cell) ?? 0) : count(n)}{" "}
                  <span class="nbd-muted">({compared ? `now ${count(n)}` : shareText(share)})</span>
                </span>
                <span class="ex-bar" aria-hidden="true">
                  <span style={{ width: `${100 * Math.abs(level)}%`, background: css(fill) }} />
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      {errors.length > FOLDED && (
        <button
          type="button"
          class="nbd-link ex-all"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all
            ? "Show fewer"
            : complete
              ? `Show all ${errors.length}`
              : `Show the largest ${errors.length}`}
        </button>
      )}
    </section>
  );
}
