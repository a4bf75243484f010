import type { JSX } from "preact";
import { count, keys, percent, plural, short, Tooltip } from "../../ui";
import { binBeside, binNear, type Curve } from "./curves";
import { regions } from "./words";

const LEFT = 52;
const RIGHT = 18;
const TOP = 22;
const BETWEEN = 10;
const HISTOGRAM = 62;
const BELOW = 40;
const HALF = 0.05;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

interface Props {
  width: number;
  curve: Curve;
  /** The model as it is, where something else is shown. */
  ghost: Curve | null;
  /** The predicted class, not one class. */
  top: boolean;
  x: string;
  y: string;
  pointed: number | null;
  picked: number | null;
  onPoint: (bin: number | null) => void;
  onPick: (bin: number | null) => void;
}

/** What is observed over what is said, and below it on the same axis how many samples say it. */
export function Diagram(props: Props): JSX.Element {
  const { width, curve, ghost, top, pointed, picked, onPoint, onPick } = props;
  const side = Math.max(120, width - LEFT - RIGHT);
  const x = (share: number) => LEFT + side * share;
  const y = (share: number) => TOP + side * (1 - share);
  const floor = TOP + side + BETWEEN + HISTOGRAM;
  const height = floor + BELOW;
  const full = curve.counts.flatMap((n, i) => (n > 0 ? [i] : []));
  const at = pointed ?? picked;
  const point = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / side;
    return share < -0.02 || share > 1.02 ? -1 : binNear(curve, share);
  };
  const said = at === null ? null : describe(curve, at, top);
  return (
    <div
      class="cal-diagram"
      tabIndex={0}
      role="group"
      aria-label={`Reliability diagram, ${plural(full.length, "bin")} with samples: arrows move over them`}
      onKeyDown={keys({
        ArrowRight: () => onPoint(binBeside(curve, at, 1)),
        ArrowLeft: () => onPoint(binBeside(curve, at, -1)),
        Home: () => onPoint(binBeside(curve, null, 1)),
        End: () => onPoint(binBeside(curve, null, -1)),
        Enter: () => at !== null && onPick(at),
        Escape: () => {
          onPoint(null);
          onPick(null);
        },
      })}
      onBlur={() => onPoint(null)}
      onPointerMove={(event) => {
        const bin = point(event);
        onPoint(bin < 0 ? null : bin);
      }}
      onPointerLeave={() => onPoint(null)}
      onClick={(event) => {
        const bin = point(event);
        if (bin >= 0) onPick(bin === picked ? null : bin);
      }}
    >
      <svg
        {...{ width, height }}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={curve.words.join(" ")}
      >
        <Axes {...{ x, y, floor, side }} labels={[props.x, props.y]} />
        <Regions {...{ x, y, side, top }} />
        {full.map((i) => (
          <Gap key={i} {...{ x, y, curve, i }} />
        ))}
        <line class="cal-diagonal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <text class="cal-along" transform={`translate(${x(0.045)} ${y(0.045) - 6}) rotate(-45)`}>
          perfectly calibrated
        </text>
        {at !== null && (
          <line
            class="cal-cursor"
            x1={x(curve.confidence[at] ?? 0)}
            x2={x(curve.confidence[at] ?? 0)}
            y1={TOP}
            y2={floor}
          />
        )}
        {ghost && <Ghost {...{ x, y }} curve={ghost} />}
        <polyline
          class="cal-line"
          points={full
            .map((i) => `${x(curve.confidence[i] ?? 0)},${y(curve.observed[i] ?? 0)}`)
            .join(" ")}
        />
        {full.map((i) => (
          <Point key={i} {...{ x, y, curve, i }} marked={i === at} />
        ))}
        <Counts {...{ x, floor, curve, full, at }} />
      </svg>
      {said && at !== null && (
        <Tooltip x={x(curve.confidence[at] ?? 0)} y={y(curve.observed[at] ?? 0)}>
          <b>{said.title}</b>
          {said.lines.map((line) => (
            <div key={line}>{line}</div>
          ))}
        </Tooltip>
      )}
    </div>
  );
}

type Place = (share: number) => number;

function Axes(props: {
  x: Place;
  y: Place;
  floor: number;
  side: number;
  labels: [string, string];
}) {
  const { x, y, floor, labels } = props;
  return (
    <g>
      {TICKS.map((tick) => (
        <g key={tick}>
          <line class="cal-grid" x1={x(0)} x2={x(1)} y1={y(tick)} y2={y(tick)} />
          <text class="cal-tick" x={x(0) - 7} y={y(tick) + 4} text-anchor="end">
            {Math.round(tick * 100)} %
          </text>
          <text class="cal-tick" x={x(tick)} y={floor + 16} text-anchor="middle">
            {Math.round(tick * 100)} %
          </text>
        </g>
      ))}
      <text class="cal-axis" x={6} y={12}>
        ↑ {labels[1]}
      </text>
      <text class="cal-axis" x={x(1)} y={floor + 34} text-anchor="end">
        {labels[0]} →
      </text>
    </g>
  );
}

/** What lies above and below the diagonal, in words. */
function Regions({ x, y, side, top }: { x: Place; y: Place; side: number; top: boolean }) {
  return (
    <g>
      {!top && <line class="cal-half" x1={x(0.5)} x2={x(0.5)} y1={y(0)} y2={y(1)} />}
      {regions(top, side).map((one) => (
        <g key={`${one.x} ${one.y}`} class={one.over ? "cal-over" : "cal-under"}>
          <text class="cal-region" x={x(one.x)} y={y(one.y)} text-anchor={one.anchor}>
            <tspan class="cal-word">{one.word}</tspan>
            <tspan x={x(one.x)} dy="1.25em">
              {one.text}
            </tspan>
          </text>
        </g>
      ))}
    </g>
  );
}

interface BinProps {
  x: Place;
  y: Place;
  curve: Curve;
  i: number;
}

/** The gap between what is said and what is true. */
function Gap({ x, y, curve, i }: BinProps) {
  const [said, seen] = [curve.confidence[i] ?? 0, curve.observed[i] ?? 0];
  // Of a wide bin only the part around its mean: that is where the gap was measured.
  const start = Math.max(curve.edges[i] ?? 0, said - HALF);
  const [from, to] = span(x(start), x(Math.min(curve.edges[i + 1] ?? 1, said + HALF)), 4);
  const way = (curve.way[i] ?? 0) > 0 ? "cal-over" : "cal-under";
  return (
    <rect
      class={`cal-gap ${way}${curve.sure[i] ? " cal-sure" : ""}`}
      x={from}
      width={to - from}
      y={y(Math.max(said, seen))}
      height={Math.abs(y(said) - y(seen))}
    />
  );
}

function Point({ x, y, curve, i, marked }: BinProps & { marked: boolean }) {
  const across = x(curve.confidence[i] ?? 0);
  const [low, high] = [y(curve.low[i] ?? 0), y(curve.high[i] ?? 1)];
  const way = (curve.way[i] ?? 0) > 0 ? "cal-over" : "cal-under";
  return (
    <g class={`cal-point ${way}${curve.sure[i] ? " cal-sure" : ""}`} data-bin={i}>
      <line x1={across} x2={across} y1={low} y2={high} />
      <line x1={across - 3} x2={across + 3} y1={low} y2={low} />
      <line x1={across - 3} x2={across + 3} y1={high} y2={high} />
      <circle cx={across} cy={y(curve.observed[i] ?? 0)} r={marked ? 6 : 4.2} />
    </g>
  );
}

function Ghost({ x, y, curve }: { x: Place; y: Place; curve: Curve }) {
  const full = curve.counts.flatMap((n, i) => (n > 0 ? [i] : []));
  const label = full.at(-3) ?? full[0];
  const spot = (i: number) => [x(curve.confidence[i] ?? 0), y(curve.observed[i] ?? 0)] as const;
  return (
    <g class="cal-ghost">
      <polyline points={full.map((i) => spot(i).join(",")).join(" ")} />
      {full.map((i) => (
        <circle key={i} cx={spot(i)[0]} cy={spot(i)[1]} r={3} />
      ))}
      {label !== undefined && (
        <text x={spot(label)[0]} y={spot(label)[1] + 16} text-anchor="middle">
          as it is
        </text>
      )}
    </g>
  );
}

interface CountsProps {
  x: Place;
  floor: number;
  curve: Curve;
  full: number[];
  at: number | null;
}

function Counts({ x, floor, curve, full, at }: CountsProps) {
  const most = Math.max(1, ...curve.counts);
  return (
    <g class="cal-counts">
      {full.map((i) => {
        const [from, to] = span(x(curve.edges[i] ?? 0), x(curve.edges[i + 1] ?? 0), 3);
        const tall = Math.max(1, (HISTOGRAM * (curve.counts[i] ?? 0)) / most);
        return (
          <rect
            key={i}
            class={i === at ? "cal-marked" : ""}
            x={from}
            width={to - from}
            y={floor - tall}
            height={tall}
          />
        );
      })}
      <line x1={x(0)} x2={x(1)} y1={floor} y2={floor} />
      <text class="cal-tick" x={x(0) - 7} y={floor - HISTOGRAM + 9} text-anchor="end">
        {short(most)}
      </text>
      <text class="cal-tick" x={x(0) - 7} y={floor - HISTOGRAM + 23} text-anchor="end">
        samples
      </text>
    </g>
  );
}

/** The ends of a bar, one pixel apart from its neighbours and never thinner than `least`. */
function span(from: number, to: number, least: number): [number, number] {
  const half = Math.max(least, to - from - 1.5) / 2;
  const middle = (from + to) / 2;
  return [middle - half, middle + half];
}

export function describe(curve: Curve, i: number, top: boolean) {
  const n = curve.counts[i] ?? 0;
  const [said, seen] = [curve.confidence[i] ?? 0, curve.observed[i] ?? 0];
  const word = (curve.way[i] ?? 0) > 0 ? "overconfident" : "underconfident";
  const points = `${Math.abs((said - seen) * 100).toFixed(1)} points ${said > seen ? "too high" : "too low"}`;
  return {
    title: `${percent(curve.edges[i] ?? 0)} to ${percent(curve.edges[i + 1] ?? 1)}: ${count(n)} ${n === 1 ? "sample" : "samples"}`,
    lines: [
      `says ${percent(said)} on average`,
      `${top ? "right in" : "true of"} ${percent(seen)} (95 %: ${percent(curve.low[i] ?? 0)} to ${percent(curve.high[i] ?? 1)})`,
      said === seen
        ? "exactly as it says"
        : `${points}: ${curve.sure[i] ? word : `${word}, or chance`}`,
    ],
  };
}
