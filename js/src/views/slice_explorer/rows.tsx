import { useState } from "preact/hooks";
import { axisEnd, between, share, ticks, Whisker } from "../../slices";
import { count, Icon, keys, Name } from "../../ui";
import type { Listing } from "./store";
import type { Info, SliceRow } from "./types";

const FOLDED = 14;

interface Props {
  listing: Listing;
  info: Info;
  chosen: SliceRow | null;
  onChoose: (row: SliceRow | null) => void;
}

/** The slices as intervals on one axis, the share of all samples as a line through them. */
export function Rows({ listing, info, chosen, onChoose }: Props) {
  const [all, setAll] = useState(false);
  const shown = all ? listing.rows : listing.rows.slice(0, FOLDED);
  const overall = info.overall.value ?? 0;
  const judged = shown.filter((row) => row.tested);
  const end = axisEnd([...(judged.length > 0 ? judged : shown).map((row) => row.high), overall]);
  const marks = ticks(end);
  const move = (step: number) => (event: KeyboardEvent) => {
    const list = event.currentTarget as HTMLElement;
    const buttons = [...list.querySelectorAll<HTMLElement>("[data-slice]")];
    const next = buttons.indexOf(document.activeElement as HTMLElement) + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, next))]?.focus();
  };
  return (
    <section class="se-rows" aria-label={`Slices: ${info.metric.name}`}>
      <div class="se-row se-head">
        <span>slice</span>
        <span class="se-axis" aria-hidden="true">
          {marks.map((mark) => (
            <i key={mark} style={{ left: `${(100 * mark) / end}%` }}>
              {`${+(100 * mark).toFixed(1)} %`}
            </i>
          ))}
        </span>
        <span class="se-number">{info.metric.value === "error" ? "wrong" : "rate"}</span>
        <span class="se-number">samples</span>
      </div>
      <ol
        onKeyDown={keys({
          ArrowDown: move(1),
          ArrowUp: move(-1),
        })}
      >
        {shown.map((row) => (
          <li key={row.at}>
            <Row {...{ row, end, overall }} chosen={row.at === chosen?.at} onChoose={onChoose} />
          </li>
        ))}
      </ol>
      <p class="se-below nbd-muted">
        <i class="se-line" aria-hidden="true" /> all samples: {share(overall)}
        {listing.rows.length > FOLDED && (
          <button type="button" class="nbd-link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all
              ? "Show fewer"
              : listing.rows.length < listing.total
                ? `Show the first ${count(listing.rows.length)} of ${count(listing.total)}`
                : `Show all ${count(listing.total)}`}
          </button>
        )}
      </p>
    </section>
  );
}

interface RowProps {
  row: SliceRow;
  end: number;
  overall: number;
  chosen: boolean;
  onChoose: (row: SliceRow) => void;
}

function Row({ row, end, overall, chosen, onChoose }: RowProps) {
  const { rate, low, high } = row;
  const tone = row.weak ? "weak" : row.tested ? "plain" : "faint";
  const said = `${row.title}: ${share(rate)}, ${between(low, high)}, ${count(row.n)} samples`;
  return (
    <button
      type="button"
      class="se-row"
      data-slice={row.at}
      data-title={row.title}
      data-weak={row.weak}
      aria-pressed={chosen}
      aria-label={said + (row.weak ? ", weak" : row.tested ? "" : ", too few samples to judge")}
      title={`${row.errors} of ${row.n}: ${share(rate)} (${between(low, high)})`}
      onClick={() => onChoose(row)}
    >
      <span class="se-title">
        <Name name={row.title} max={34} />
        {row.weak && (
          <b class="se-weak">
            <Icon name="critical" size={11} /> weak
          </b>
        )}
        {!row.weak && row.explained && (
          <small title={`What makes it worse than the rest is explained by ${row.explained}`}>
            explained by {row.explained}
          </small>
        )}
        {!row.tested && <small>too few to judge</small>}
      </span>
      <Whisker value={rate} {...{ low, high, end, overall, tone }} />
      <span class="se-number">{share(rate)}</span>
      <span class="se-number nbd-muted">{count(row.n)}</span>
    </button>
  );
}
