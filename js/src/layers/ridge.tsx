import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import {
  Canvas,
  count,
  css,
  type Draw,
  number,
  plural,
  sequential,
  Tooltip,
  useTheme,
} from "../ui";
import { choose, extent, type Histograms, linearTicks, quantile, total } from "./histograms";

const LEFT = 58; // steps
const BROKEN = 92; // "NaN 1,024" at the right
const AXIS = 24;
/** Curves rise into the ones behind them by this many spacings. */
const RISE = 2.4;
const CLOSEST = 13;

interface Props {
  histograms: Histograms;
  height: number;
  /** The step that the rest of the widget shows: its curve is outlined. */
  step: number;
  /** "weights" or "gradients". */
  what: string;
  label: string;
}

interface Plan {
  which: number[];
  low: number;
  high: number;
  right: number;
  base(row: number): number;
  spacing: number;
}

function planOf(h: Histograms, height: number): Plan {
  const which = choose(h, Math.max(2, Math.floor((height - AXIS) / CLOSEST - RISE)));
  const [low, high] = extent(h, which);
  const broken = which.some((i) => (h.nan[i] as number) + (h.infinite[i] as number) > 0);
  const spacing = Math.min(30, (height - AXIS) / (which.length + RISE));
  const top = height - AXIS - spacing * (which.length - 1) - 2;
  const base = (row: number) => top + row * spacing;
  return { which, low, high, right: broken ? BROKEN : 8, base, spacing };
}

/** What of it could not be drawn as a curve. */
function brokenText(h: Histograms, i: number): string {
  const nan = h.nan[i] as number;
  const infinite = h.infinite[i] as number;
  return [nan > 0 && `NaN ${count(nan)}`, infinite > 0 && `∞ ${count(infinite)}`]
    .filter(Boolean)
    .join(", ");
}

function drawRidges(h: Histograms, plan: Plan, shown: number): Draw {
  return (context, { width, height, theme, color }) => {
    const { which, low, high, right, base, spacing } = plan;
    const x = (value: number) => LEFT + ((value - low) / (high - low)) * (width - LEFT - right);
    const scale = sequential(theme);
    context.font = '12px system-ui, "Segoe UI", sans-serif';
    context.textBaseline = "middle";
    context.lineWidth = 1;
    context.fillStyle = color("--nbd-muted");
    context.textAlign = "right";
    context.fillText("step", LEFT - 7, 8);
    context.textAlign = "center";
    for (const tick of linearTicks(low, high, Math.max(2, (width - LEFT - right) / 75))) {
      context.strokeStyle = color(tick === 0 ? "--nbd-line-strong" : "--nbd-line");
      context.beginPath();
      context.moveTo(Math.round(x(tick)) + 0.5, 4);
      context.lineTo(Math.round(x(tick)) + 0.5, height - AXIS + 3);
      context.stroke();
      context.fillStyle = color("--nbd-muted");
      context.fillText(number(tick, 2), x(tick), height - AXIS + 13);
    }
    const labels = Math.ceil(14 / spacing);
    which.forEach((i, row) => {
      const y = base(row);
      context.save();
      context.beginPath();
      context.rect(LEFT, 0, width - LEFT - right, height);
      context.clip();
      const age = which.length > 1 ? row / (which.length - 1) : 1;
      outline(context, h, i, x, y, spacing * RISE);
      context.fillStyle = css(scale(0.12 + 0.88 * age), 0.88);
      context.fill();
      context.strokeStyle = i === shown ? color("--nbd-accent") : color("--nbd-bg");
      context.lineWidth = i === shown ? 2.5 : 1;
      context.stroke();
      context.restore();
      context.strokeStyle = color("--nbd-line");
      context.beginPath();
      context.moveTo(LEFT, y + 0.5);
      context.lineTo(width - right, y + 0.5);
      context.stroke();
      context.textAlign = "right";
      if (i === shown || (which.length - 1 - row) % labels === 0) {
        context.fillStyle = i === shown ? color("--nbd-accent") : color("--nbd-muted");
        context.fillText(count(h.steps[i] as number), LEFT - 7, y - 3);
      }
      const broken = brokenText(h, i);
      if (broken) {
        context.textAlign = "left";
        context.fillStyle = color("--nbd-critical");
        context.fillText(`✕ ${broken}`, width - right + 6, y - 3);
      }
    });
  };
}

/** The path of one histogram, as high as `rise` at its peak. */
function outline(
  context: CanvasRenderingContext2D,
  h: Histograms,
  i: number,
  x: (value: number) => number,
  base: number,
  rise: number,
): void {
  context.beginPath();
  const counts = h.counts.subarray(i * h.bins, (i + 1) * h.bins);
  const peak = Math.max(...counts);
  if (!(peak > 0)) return;
  const [low, high] = [h.low[i] as number, h.high[i] as number];
  if (low === high) {
    // All entries are the same number: a needle.
    context.rect(x(low) - 1, base - rise, 2, rise);
    return;
  }
  const width = (high - low) / h.bins;
  context.moveTo(x(low), base);
  counts.forEach((n, b) => {
    context.lineTo(x(low + (b + 0.5) * width), base - (n / peak) * rise);
  });
  context.lineTo(x(high), base);
  context.closePath();
}

/** Histograms over time, one curve a step, the newest in front. */
export function Ridge({ histograms: h, height, step, what, label }: Props): JSX.Element {
  const theme = useTheme();
  const [hover, setHover] = useState<{ i: number; x: number; y: number } | null>(null);
  const plan = useMemo(() => planOf(h, height), [h, height]);
  const { which } = plan;
  let shown = which[0] ?? -1;
  for (const i of which) if ((h.steps[i] as number) <= step) shown = i;
  const draw = useMemo(() => drawRidges(h, plan, shown), [h, plan, shown, theme]);
  const point = (_: PointerEvent, x: number, y: number) => {
    const row = Math.round((y - plan.base(0) + plan.spacing * 0.4) / plan.spacing);
    const i = which[Math.min(which.length - 1, Math.max(0, row))];
    setHover(i === undefined ? null : { i, x, y });
  };
  return (
    <div class="ly-ridge">
      <Canvas
        draw={draw}
        height={height}
        label={`${label}: ${plural(which.length, "histogram")}, steps ${count(h.steps[which[0] ?? 0] ?? 0)} to ${count(h.steps[which.at(-1) ?? 0] ?? 0)}`}
        onPointer={point}
        onLeave={() => setHover(null)}
      />
      {hover && (
        <Tooltip x={hover.x} y={hover.y}>
          <b>step {count(h.steps[hover.i] as number)}</b>
          {facts(h, hover.i, what).map((fact) => (
            <div key={fact}>{fact}</div>
          ))}
        </Tooltip>
      )}
    </div>
  );
}

function facts(h: Histograms, i: number, what: string): string[] {
  const n = total(h, i);
  const broken = brokenText(h, i);
  return [
    `${count(n)} finite ${what}`,
    n > 0 && `from ${number(h.low[i] as number)} to ${number(h.high[i] as number)}`,
    n > 0 &&
      `middle half ${number(quantile(h, i, 0.25), 2)} to ${number(quantile(h, i, 0.75), 2)}, about`,
    broken && `not drawn: ${broken}`,
  ].filter((fact): fact is string => Boolean(fact));
}
