import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { AxisLabel, stepTicks } from "../../run";
import {
  Canvas,
  count,
  type Draw,
  percent,
  plural,
  Segmented,
  Select,
  sequential,
  Tooltip,
  useSize,
} from "../../ui";
import { drawMap, type Grid, GUTTER, gridOf } from "./map_paint";
import type { Activation } from "./store";
import {
  DEAD,
  FULL,
  type Order,
  ordered,
  overall,
  SILENT,
  STUCK,
  type Units,
  WORDS,
} from "./units";

const PAGE = 256;
const TALL = 240;

interface Props {
  units: Units;
  activation: Activation;
}

type What = "activity" | "saturation";

/** Unit by block of time: how often each unit was active, dead ones hatched. */
export function UnitMap({ units, activation }: Props): JSX.Element {
  const [order, setOrder] = useState<Order>("activity");
  const [what, setWhat] = useState<What>(activation.bounded ? "saturation" : "activity");
  const [page, setPage] = useState(-1); // all
  const [hover, setHover] = useState<{ x: number; y: number } | null>(null);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const shares = (what === "saturation" ? units.saturation : null) ?? units.activity;
  const all = useMemo(() => ordered(units, shares, order), [units, shares, order]);
  const pages = Math.ceil(all.length / PAGE);
  const shown = page < 0 || page >= pages ? all : all.slice(page * PAGE, (page + 1) * PAGE);
  const height = Math.min(TALL, Math.max(60, shown.length * 14));
  const grid = useMemo(
    () => gridOf(units, shares, shown, Math.max(1, Math.min(shown.length, height))),
    [units, shares, shown, height],
  );
  const draw: Draw = useMemo(() => drawMap(grid, sequential), [grid]);
  const line = Math.ceil(shown.length / grid.lines);
  const word = activation.word;
  const pageOptions = [
    { value: -1, text: `all ${count(all.length)}` },
    ...Array.from({ length: pages }, (_, i) => ({
      value: i,
      text: `${count(i * PAGE + 1)} – ${count(Math.min(all.length, (i + 1) * PAGE))}`,
    })),
  ];
  const span = [grid.first, grid.last] as const;
  const inner = Math.max(1, width - GUTTER);
  return (
    <>
      <div class="as-map-controls">
        {units.saturation && (
          <Segmented<What>
            label="What the map shows"
            value={what}
            options={[
              { value: "activity", text: "Active" },
              { value: "saturation", text: "At an end" },
            ]}
            onChange={setWhat}
          />
        )}
        <Segmented<Order>
          label="Order of the units"
          value={order}
          options={[
            {
              value: "activity",
              text: what === "saturation" ? "Most stuck first" : "Busiest first",
            },
            { value: "number", text: `By ${word} number` },
          ]}
          onChange={setOrder}
        />
        {pages > 1 && (
          <Select<number>
            label={order === "number" ? `${word}s` : "Ranks"}
            value={page < pages ? page : -1}
            options={pageOptions}
            onChange={setPage}
          />
        )}
        <span class="as-scale">
          0 % <i style={{ background: "var(--as-ramp)" }} /> 100 %
          <span class="nbd-muted">
            {" "}
            of the values {what === "saturation" ? "at an end" : "active"}
          </span>
        </span>
      </div>
      <div ref={frame} class="as-map" data-lines={grid.lines} data-units={shown.length}>
        <Canvas
          draw={draw}
          height={height}
          label={`${plural(shown.length, word)} of ${activation.name} by block of time`}
          onPointer={(_, x, y) => setHover({ x, y })}
          onLeave={() => setHover(null)}
        />
        <div class="nbd-axis-labels" style={{ marginLeft: `${GUTTER}px` }}>
          {stepTicks(span[0], span[1], Math.max(2, inner / 90)).map((step) => (
            <AxisLabel
              key={step}
              at={(step - span[0]) / Math.max(1, span[1] - span[0])}
              width={inner}
              text={count(step)}
            />
          ))}
        </div>
        {hover && width > 0 && (
          <Tooltip x={hover.x} y={hover.y}>
            <Pointed
              {...{ units, shares, grid, word, what }}
              at={Math.min(1, Math.max(0, (hover.x - GUTTER) / inner))}
              row={Math.min(
                grid.lines - 1,
                Math.max(0, Math.floor((hover.y / height) * grid.lines)),
              )}
            />
          </Tooltip>
        )}
      </div>
      <p class="ly-caption">
        {line > 1 ? `${plural(line, word)} to a line, averaged; choose a range to see each. ` : ""}
        {units.total > units.units.length
          ? `${count(units.units.length)} of ${plural(units.total, word)}: those that need a look most. `
          : ""}
        {legend(units)} Each column is a block of steps.
      </p>
    </>
  );
}

/** What the marks mean, as far as there are any. */
function legend({ states }: Units): string {
  const has = (state: number) => states.includes(state);
  const hatched = [has(DEAD) && "dead", has(STUCK) && "stuck"].filter(Boolean).join(" or ");
  const marks = [
    hatched && `Hatched, with a wide mark at the left: ${hatched}.`,
    has(SILENT) && "Narrow mark: fell silent.",
  ];
  return marks.filter(Boolean).join(" ");
}

interface PointedProps {
  units: Units;
  shares: Uint16Array;
  grid: Grid;
  word: string;
  what: What;
  at: number;
  row: number;
}

/** The units and the block under the pointer. */
function Pointed({ units, shares, grid, word, what, at, row }: PointedProps): JSX.Element {
  const members = grid.members(row);
  const step = grid.first + at * (grid.last - grid.first);
  let block = 0;
  units.first.forEach((first, b) => {
    if (first <= step) block = b;
  });
  const n = units.units.length;
  const now = members.map((u) => (shares[block * n + u] as number) / FULL);
  const mean = now.reduce((a, b) => a + b, 0) / Math.max(1, now.length);
  const did = what === "saturation" ? "at an end" : "active";
  const one = members.length === 1 ? (members[0] as number) : -1;
  const total = overall(units, shares);
  const whole =
    members.reduce((sum, u) => sum + (total[u] as number), 0) / Math.max(1, members.length);
  const numbers = members.map((u) => units.units[u] as number).sort((a, b) => a - b);
  return (
    <>
      <b>
        {one >= 0
          ? `${word} ${count(numbers[0] ?? 0)}`
          : `${count(members.length)} ${word}s: ${numbers.slice(0, 6).map(count).join(", ")}${numbers.length > 6 ? " …" : ""}`}
      </b>
      <div>
        steps {count(units.first[block] ?? 0)} to {count(units.last[block] ?? 0)},{" "}
        {plural(units.inputs[block] ?? 0, "input")}: {percent(mean, 2)} of the values {did}
      </div>
      <div>
        {percent(whole, 2)} over all {count(units.seen)} inputs
      </div>
      {one >= 0 && <div>{WORDS[units.states[one] ?? 0]?.word}</div>}
      {one >= 0 && what === "activity" && (units.since[one] as number) > 0 && (
        <div>
          {(units.lastActive[one] as number) > 0
            ? `last active at step ${count(units.lastActive[one] as number)}, ${plural(units.since[one] as number, "input")} ago`
            : `never active in ${plural(units.since[one] as number, "input")}`}
        </div>
      )}
    </>
  );
}
