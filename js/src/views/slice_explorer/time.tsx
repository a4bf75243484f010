import { axisEnd, between, share, ticks } from "../../slices";
import { count, keys, Select, useSize } from "../../ui";
import type { Info, SliceRow, Timeline } from "./types";

const HEIGHT = 250;
const LEFT = 46;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 30;

interface Props {
  info: Info;
  line: Timeline;
  chosen: SliceRow | null;
  onColumn: (column: string) => void;
  onChoose: (row: SliceRow | null) => void;
}

/** The rate period by period with its interval, and in words how it moves. */
export function OverTime({ info, line, chosen, onColumn, onChoose }: Props) {
  const [frame, { width }] = useSize<HTMLDivElement>();
  const times = info.columns.filter((column) => column.kind === "time");
  const overall = info.overall.value ?? 0;
  const end = axisEnd([
    ...line.high.filter((_, i) => (line.n[i] ?? 0) >= info.min_support),
    overall,
  ]);
  const last = Math.max(1, ...line.at);
  const x = (i: number) => LEFT + ((width - LEFT - RIGHT) * i) / last;
  const y = (rate: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, rate / end));
  const points = line.at.map((at, i) => ({
    i,
    x: x(at),
    n: line.n[i] ?? 0,
    rate: line.rate[i] ?? 0,
  }));
  const upper = points.map((p) => `${p.x},${y(line.high[p.i] ?? 1)}`);
  const lower = points.map((p) => `${p.x},${y(line.low[p.i] ?? 0)}`).reverse();
  const every = Math.ceil(points.length / Math.max(2, Math.floor((width - 60) / 175)));
  const row = (i: number): SliceRow => ({
    at: line.slices[i] ?? -1,
    title: `${line.column} ${line.labels[i]}`,
    column: line.column,
    other: "",
    label: line.labels[i] ?? "",
    n: line.n[i] ?? 0,
    errors: Math.round((line.rate[i] ?? 0) * (line.n[i] ?? 0)),
    rate: line.rate[i] ?? null,
    low: line.low[i] ?? 0,
    high: line.high[i] ?? 1,
    tested: (line.n[i] ?? 0) >= info.min_support,
    p: null,
    weak: false,
    explained: "",
  });
  const move = (by: number) => () => {
    const at = line.slices.indexOf(chosen?.at ?? -1);
    const next = at < 0 ? (by > 0 ? 0 : points.length - 1) : at + by;
    if (next >= 0 && next < points.length) onChoose(row(next));
  };
  const step =
    line.step > 0 ? (x(line.at[line.step] ?? 0) + x(line.at[line.step - 1] ?? 0)) / 2 : null;
  return (
    <div class="se-time" data-shape={line.shape}>
      <p class={`se-words${line.shape === "steady" ? "" : " se-moves"}`}>{line.words}</p>
      <div
        ref={frame}
        class="se-plot"
        role="listbox"
        tabIndex={0}
        aria-label={`${info.metric.name} by ${line.period} of ${line.column}`}
        onKeyDown={keys({
          ArrowRight: move(1),
          ArrowLeft: move(-1),
        })}
      >
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            {ticks(end).map((tick) => (
              <g key={tick}>
                <line class="se-grid" x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
                <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
                  {`${+(100 * tick).toFixed(1)} %`}
                </text>
              </g>
            ))}
            <polygon class="se-band" points={[...upper, ...lower].join(" ")} />
            <line class="se-all" x1={LEFT} x2={width - RIGHT} y1={y(overall)} y2={y(overall)} />
            <text class="se-all-name" x={width - RIGHT} y={y(overall) - 5} text-anchor="end">
              all {share(overall)}
            </text>
            {step !== null && (
              <line class="se-step" x1={step} x2={step} y1={TOP} y2={HEIGHT - BOTTOM} />
            )}
            <polyline
              class="se-curve"
              points={points.map((p) => `${p.x},${y(p.rate)}`).join(" ")}
            />
            {points.map((p) => (
              // biome-ignore lint/a11y/noStaticElementInteractions: the list box has the keys
              <g key={p.i} data-period={line.labels[p.i]} onClick={() => onChoose(row(p.i))}>
                <title>
                  {`${line.labels[p.i]}: ${share(p.rate)} (${between(line.low[p.i] ?? 0, line.high[p.i] ?? 1)}), ${count(p.n)} samples`}
                </title>
                <circle class="se-hit" cx={p.x} cy={y(p.rate)} r={12} />
                <circle
                  class={`se-point${line.slices[p.i] === chosen?.at ? " se-on" : ""}`}
                  cx={p.x}
                  cy={y(p.rate)}
                  r={line.slices[p.i] === chosen?.at ? 6 : 4}
                />
              </g>
            ))}
            {points
              .filter((p) => p.i % every === 0)
              .map((p) => (
                <text
                  key={p.i}
                  x={p.x}
                  y={HEIGHT - 10}
                  text-anchor={p.x > width - 50 ? "end" : p.x < LEFT + 30 ? "start" : "middle"}
                >
                  {line.labels[p.i]}
                </text>
              ))}
          </svg>
        )}
      </div>
      <div class="nbd-controls">
        {times.length > 1 && (
          <Select
            label="Time column"
            value={line.column}
            options={times.map(({ name }) => ({ value: name, text: name }))}
            onChange={onColumn}
          />
        )}
        <span class="nbd-muted">
          by {line.period} of {line.column}; the band is the 95 % interval
        </span>
      </div>
    </div>
  );
}
