import { useState } from "preact/hooks";
import { Button, count, Name } from "../../ui";
import type { Explorer } from "./store";
import type { Counted, Facet, Filter, Info } from "./types";
import { share } from "./words";

/** Values of a column that are shown before the rest is asked for. */
const FOLDED = 6;

interface Props {
  explorer: Explorer;
  info: Info;
  counted: Counted;
  facets: readonly Facet[] | null;
  filter: Filter;
}

/** Takes a value into the filter, or out of it; what keeps nothing is left out. */
export function toggled(filter: Filter, name: string, label: string): Filter {
  const chosen = filter[name] ?? [];
  const next = chosen.includes(label) ? chosen.filter((l) => l !== label) : [...chosen, label];
  const { [name]: _, ...rest } = filter;
  return next.length > 0 ? { ...rest, [name]: next } : rest;
}

/** Metadata: matrix and gallery of only some of the samples. Nothing where there is none. */
export function FilterBar({ explorer, info, counted, facets, filter }: Props) {
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  if (!info.metadata) return null;
  const toggle = () => {
    setOpen(!open);
    if (facets || asked) return;
    void explorer.tell("facets").then(() => setAsked(true));
  };
  const set = (next: Filter) => void explorer.tell("filter", { filter: next });
  const chosen = Object.entries(filter);
  const rates = (facets ?? []).flatMap((facet) => facet.counts.map((n, i) => rate(facet, i, n)));
  const most = Math.max(0, ...rates);
  return (
    <div class="ex-filter" data-filter={JSON.stringify(filter)}>
      <div class="ex-filter-line">
        <Button pressed={open} onClick={toggle} title="Look at some samples only">
          Filter
        </Button>
        {chosen.map(([name, labels]) => (
          <button
            key={name}
            type="button"
            class="ex-chip"
            title={`Keep all values of ${name} again`}
            onClick={() => {
              const { [name]: _, ...rest } = filter;
              set(rest);
            }}
          >
            <b>{name}</b> {labels.join(", ")} <span aria-hidden="true">✕</span>
          </button>
        ))}
        {chosen.length > 0 && (
          <>
            <span class="nbd-muted">
              {count(counted.samples)} of {count(info.samples)} samples
            </span>
            <button type="button" class="nbd-link" onClick={() => set({})}>
              Show all
            </button>
          </>
        )}
      </div>
      {open && (
        <div class="ex-facets">
          {!facets && (
            <p class="nbd-muted">
              {asked
                ? "No column of the metadata groups the samples: each value is another, or all are the same."
                : "Reading the metadata…"}
            </p>
          )}
          {facets?.map((facet) => (
            <Values
              key={facet.name}
              {...{ facet, most }}
              chosen={filter[facet.name] ?? []}
              onToggle={(label) => set(toggled(filter, facet.name, label))}
            />
          ))}
        </div>
      )}
    </div>
  );
}

interface ValuesProps {
  facet: Facet;
  /** The highest share of errors of all values, of all columns. */
  most: number;
  chosen: readonly string[];
  onToggle: (label: string) => void;
}

function Values({ facet, most, chosen, onToggle }: ValuesProps) {
  const [all, setAll] = useState(false);
  const shown = all ? facet.labels : facet.labels.slice(0, FOLDED);
  return (
    <fieldset class="ex-facet">
      <legend>
        <Name name={facet.name} max={28} />
      </legend>
      {shown.map((label, i) => {
        const n = facet.counts[i] ?? 0;
        const wrong = rate(facet, i, n);
        return (
          <label key={label} class="ex-value" data-facet={facet.name} data-value={label}>
            <input
              type="checkbox"
              checked={chosen.includes(label)}
              onChange={() => onToggle(label)}
            />
            <span class="ex-value-name">
              <Name name={label} max={22} />
            </span>
            <span class="nbd-muted">{count(n)}</span>
            <span class="ex-value-rate" title={`${share(wrong)} of these samples are wrong`}>
              {n > 0 ? share(wrong) : "–"}
            </span>
            <span class="ex-bar" aria-hidden="true">
              <span style={{ width: `${most > 0 ? (100 * wrong) / most : 0}%` }} />
            </span>
          </label>
        );
      })}
      {facet.labels.length > FOLDED && (
        <button type="button" class="nbd-link" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${facet.labels.length}`}
        </button>
      )}
      {all && facet.more > 0 && <p class="nbd-muted">and {count(facet.more)} rarer values</p>}
    </fieldset>
  );
}

/** Share of errors among the samples with a value. */
function rate(facet: Facet, i: number, n: number): number {
  return n > 0 ? (facet.errors[i] ?? 0) / n : 0;
}
