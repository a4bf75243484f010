import { useEffect } from "preact/hooks";
import { between, share } from "../../slices";
import {
  css,
  Empty,
  gradient,
  inkOn,
  keys,
  type RGB,
  Select,
  sequential,
  short,
  shortenAll,
  useTheme,
} from "../../ui";
import type { Info, PairMap, SliceRow } from "./types";

interface Props {
  info: Info;
  pair: PairMap | null;
  /** The columns to begin with: those of a weak pair, if there is one. */
  prefer: [number, number] | null;
  chosen: SliceRow | null;
  onPair: (columns: [number, number]) => void;
  onChoose: (row: SliceRow | null) => void;
}

/** Two columns crossed: the rate in each cell, and its support. */
export function Pairs({ info, pair, prefer, chosen, onPair, onChoose }: Props) {
  const theme = useTheme();
  const first = prefer ?? info.pairs[0];
  useEffect(() => {
    if (!pair && first) onPair(first);
  }, [pair === null, first?.join()]);
  if (!first) return <Empty title="No two columns are crossed" />;
  if (!pair) return <Empty title="Counting the pair" />;
  const [one, two] = pair.columns;
  const columns = [...new Set(info.pairs.flat())].sort((a, b) => a - b);
  const partners = (of: number) =>
    columns.filter((c) =>
      info.pairs.some(([a, b]) => (a === of && b === c) || (b === of && a === c)),
    );
  const option = (c: number) => ({ value: c, text: info.columns[c]?.name ?? "" });
  const change = (a: number, b: number) => {
    const other = a === b || !partners(a).includes(b) ? (partners(a)[0] ?? b) : b;
    onPair(a < other ? [a, other] : [other, a]);
  };
  const bySlot = new Map(pair.cells.map((cell, i) => [cell.join(), pair.slices[i]]));
  const judged = pair.slices.filter((row) => row.tested && row.rate !== null);
  const most = Math.max(0.0001, ...judged.map((row) => row.rate ?? 0));
  const scale = sequential(theme);
  const names = pair.labels.map((labels) => shortenAll(labels, 18));
  const upright = (names[1] ?? []).some((name) => name.length > 8) && (names[1] ?? []).length > 4;
  return (
    <div class="se-pairs">
      <div class="nbd-controls">
        <Select
          label="Rows"
          value={one}
          options={columns.map(option)}
          onChange={(c) => change(c, two)}
        />
        <Select
          label="Columns"
          value={two}
          options={partners(one).map(option)}
          onChange={(c) => change(one, c)}
        />
        <span class="se-ramp-line nbd-muted">
          0 % <i class="se-ramp" style={{ background: gradient(scale) }} /> {share(most)}
        </span>
      </div>
      <div class="se-scroll">
        <table
          class="se-map"
          aria-label={`${info.metric.name} by ${option(one).text} and ${option(two).text}`}
          onKeyDown={keys(arrows)}
        >
          <thead>
            <tr>
              <th />
              {names[1]?.map((name, c) => (
                <th key={name} scope="col" class={upright ? "se-up" : ""}>
                  <span title={pair.labels[1][c]}>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names[0]?.map((name, r) => (
              <tr key={name}>
                <th scope="row" title={pair.labels[0][r]}>
                  {name}
                </th>
                {names[1]?.map((other, c) => {
                  const row = bySlot.get(`${r},${c}`);
                  const key = `${name} ${other}`;
                  if (!row) return <td key={key} class="se-none" />;
                  const colour: RGB | null = row.tested ? scale((row.rate ?? 0) / most) : null;
                  const style = colour ? { background: css(colour), color: inkOn(colour) } : {};
                  return (
                    <td key={key}>
                      <button
                        type="button"
                        class={row.tested ? "" : "se-few"}
                        data-pair={row.at}
                        data-cell={`${r},${c}`}
                        aria-pressed={row.at === chosen?.at}
                        aria-label={`${row.title}: ${share(row.rate)} of ${row.n}${row.weak ? ", weak" : ""}`}
                        title={`${row.title}: ${row.errors} of ${row.n}, ${share(row.rate)} (${between(row.low, row.high)})`}
                        style={style}
                        onClick={() => onChoose(row)}
                      >
                        <b>
                          {row.weak ? "◆ " : ""}
                          {row.rate === null ? "–" : `${Math.round(100 * row.rate)} %`}
                        </b>
                        <small>{short(row.n)}</small>
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="nbd-muted se-below">
        Below each rate its samples; pale cells have fewer than {info.min_support}; ◆ is a weakness
        that neither column explains.
      </p>
    </div>
  );
}

function step(rows: number, columns: number) {
  return (event: KeyboardEvent) => {
    const at = (document.activeElement as HTMLElement | null)?.dataset.cell?.split(",").map(Number);
    if (!at) return;
    const next = `${(at[0] ?? 0) + rows},${(at[1] ?? 0) + columns}`;
    const table = event.currentTarget as HTMLElement;
    table.querySelector<HTMLElement>(`[data-cell="${next}"]`)?.focus();
  };
}

const arrows = {
  ArrowDown: step(1, 0),
  ArrowUp: step(-1, 0),
  ArrowRight: step(0, 1),
  ArrowLeft: step(0, -1),
};
