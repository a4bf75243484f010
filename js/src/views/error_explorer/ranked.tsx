import { useState } from "preact/hooks";
import { count, css, Name, useTheme } from "../../ui";
import { errorScale } from "./colours";
import type { Confusion, RankedError } from "./confusion";
import { errorLevel, type Shown } from "./matrix_paint";
import { type Cell, NOT_FINITE, sameCell } from "./types";
import { cellLabel, share as shareText } from "./words";

const FOLDED = 10;

interface Props {
  errors: readonly RankedError[];
  matrix: Confusion;
  classes: readonly string[];
  shown: Shown;
  opened: Cell | null;
  onOpen: (cell: Cell) => void;
  onPoint: (cell: Cell | null) => void;
}

/** The largest confusions as a list: what makes a hundred classes readable. */
export function Ranked({ errors, matrix, classes, shown, opened, onOpen, onPoint }: Props) {
  const [all, setAll] = useState(false);
  const shownErrors = all ? errors : errors.slice(0, FOLDED);
  const scale = errorScale(useTheme());
  return (
    <section class={`ex-ranked${all ? " ex-long" : ""}`} aria-label="Largest confusions">
      <h3>
        Largest confusions <span class="nbd-muted ex-hint">true → predicted</span>
      </h3>
      {errors.length === 0 && <p class="nbd-muted">No errors: every sample is on the diagonal.</p>}
      <ol onPointerLeave={() => onPoint(null)}>
        {shownErrors.map(({ cell, count: n, share }) => {
          const level = errorLevel(matrix, cell, shown);
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
                  <Name name={classes[cell[0]] ?? ""} max={24} />
                  <span class="nbd-muted">→</span>
                  {cell[1] === NOT_FINITE ? (
                    <i>not finite</i>
                  ) : (
                    <Name name={classes[cell[1]] ?? ""} max={24} />
                  )}
                </span>
                <span class="ex-amount">
                  {count(n)} <span class="nbd-muted">({shareText(share)})</span>
                </span>
                <span class="ex-bar" aria-hidden="true">
                  <span style={{ width: `${100 * level}%`, background: css(scale(level)) }} />
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
          {all ? "Show fewer" : `Show the largest ${errors.length}`}
        </button>
      )}
    </section>
  );
}
