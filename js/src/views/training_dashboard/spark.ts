/** A key number over time as an SVG path in a box of 100 by 1, broken where it was not finite. */
export interface Spark {
  path: string;
  /** Shares of the width where the number was not finite. */
  broken: number[];
  log: boolean;
}

/** From this ratio on a curve is only readable on a log axis. */
const MANY_DECADES = 100;

export function sparkOf(steps: ArrayLike<number>, values: ArrayLike<number>): Spark {
  const all = Array.from(values);
  const finite = all.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const log = least > 0 && most / least > MANY_DECADES;
  const scale = (value: number) => (log ? Math.log10(value) : value);
  const [low, high] = [scale(least), scale(most)];
  const first = steps[0] ?? 0;
  const span = (steps[steps.length - 1] ?? 0) - first || 1;
  const broken: number[] = [];
  const parts: string[] = [];
  let down = false;
  for (const [i, value] of all.entries()) {
    const x = ((steps[i] as number) - first) / span;
    if (!Number.isFinite(value)) {
      broken.push(x);
      down = false;
      continue;
    }
    const y = high > low ? 1 - (scale(value) - low) / (high - low) : 0.5;
    parts.push(`${down ? "L" : "M"}${(x * 100).toFixed(2)} ${y.toFixed(4)}`);
    down = true;
  }
  // A single point is a short line: a path of one point draws nothing.
  if (parts.length === 1) parts.push("h1");
  return { path: parts.join(""), broken, log };
}
