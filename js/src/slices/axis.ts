const ENDS = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];

/** A round share that holds all these ends of intervals. */
export function axisEnd(highs: readonly number[]): number {
  const most = Math.max(0, ...highs);
  return ENDS.find((end) => end >= most) ?? 1;
}

/** Where an axis from 0 to `end` has its marks: four or five steps of a round size. */
export function ticks(end: number): number[] {
  const steps = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.25];
  const step = steps.find((size) => end / size <= 5.0001) ?? 0.25;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}
