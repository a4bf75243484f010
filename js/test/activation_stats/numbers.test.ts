import { describe, expect, it } from "vitest";
import { append, type Made, snapshot, units } from "../../dev/activation_data";
import { NAN, OK, UNKNOWN } from "../../src/layers/status";
import { decodeRows, Looks, type Rows } from "../../src/views/activation_stats/looks";
import { gridOf } from "../../src/views/activation_stats/map_paint";
import { numbersAt, seriesOf } from "../../src/views/activation_stats/series";
import {
  blockAt,
  decodeSummary,
  decodeUnits,
  ordered,
  overall,
} from "../../src/views/activation_stats/units";
import type { Bytes } from "../../src/wire";

const made: Made[] = [
  { name: "a", kind: "ReLU", units: 8, off: 2 },
  { name: "b", kind: "ReLU", units: 4, off: 0, nanFrom: 3 },
];

/** Looks at two activations; `looked` tells which of them at each step. */
function rows(steps: number[], means: number[], looked = steps.flatMap(() => [1, 1])): Rows {
  const values = new Float32Array(steps.length * 8);
  means.forEach((mean, i) => {
    values[i * 4] = mean;
  });
  return { steps: Float64Array.from(steps), values, looked: Uint8Array.from(looked) };
}
const held = (looks: Looks) => [...looks.steps.slice(0, looks.length)];

describe("Looks", () => {
  it("adds, and completes a step that came in two parts", () => {
    const looks = new Looks(2);
    looks.add(rows([1, 2], [1, 2, 3, 4]));
    looks.add(rows([3], [5, 0], [1, 0]));
    expect(looks.value(2, 1, "mean")).toBeNaN();
    looks.add(rows([3], [0, 6], [0, 1]));
    expect(held(looks)).toEqual([1, 2, 3]);
    expect([looks.value(2, 0, "mean"), looks.value(2, 1, "mean")]).toEqual([5, 6]);
  });

  it("takes what it has already for the same, and leaves out what was thinned", () => {
    const looks = new Looks(2);
    looks.add(rows([1, 5], [1, 1, 5, 5]));
    looks.add(rows([3, 5, 7], [3, 3, 5, 5, 7, 7]));
    expect(held(looks)).toEqual([1, 5, 7]);
    expect(looks.value(1, 0, "mean")).toBe(5);
  });

  it("keeps the whole course of a long training in bounded memory", () => {
    const looks = new Looks(2);
    for (let step = 1; step <= 9000; step++) looks.add(rows([step], [step, -step]));
    expect(looks.length).toBeLessThanOrEqual(4000);
    const steps = held(looks);
    expect([steps[0], steps.at(-1)]).toEqual([1, 9000]);
    expect(steps.every((step, i) => looks.value(i, 1, "mean") === -step)).toBe(true);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
  });

  it("thins evenly in time, however often, and keeps the first look that broke", () => {
    const looks = new Looks(2);
    for (let step = 1; step <= 40_000; step++) {
      looks.add(rows([step], [step === 12_345 ? Number.NaN : 1, 1]));
    }
    const steps = held(looks);
    const widest = Math.max(...steps.slice(1).map((step, i) => step - (steps[i] as number)));
    expect(widest).toBeLessThanOrEqual(80); // not thousands, as at the start it once was
    expect(steps).toContain(12_345);
  });

  it("refuses values of another model", () => {
    expect(() => decodeRows(snapshot(made, 2), 3)).toThrow("not [2, 3, 4]");
  });
});

describe("a row over time", () => {
  const looks = new Looks(2);
  looks.reset(decodeRows(snapshot(made, 6), 2));
  const summary = decodeSummary(snapshot(made, 6).units, 2);

  it("tells NaN from no look at all", () => {
    expect([...Array.from(seriesOf(looks, summary, "zeros", [1]).status)]).toEqual([
      OK,
      OK,
      OK,
      NAN,
      NAN,
      NAN,
    ]);
    const half = new Looks(2);
    half.add(rows([1], [1, 0], [1, 0]));
    expect(seriesOf(half, null, "mean", [1]).status[0]).toBe(UNKNOWN);
  });

  it("shows for each look the block that it belongs to", () => {
    expect(Array.from(seriesOf(looks, summary, "off", [0]).log)).toEqual(Array(6).fill(0.25));
    expect([0, 1, 16, 20, 21, 99].map((step) => blockAt(summary, 0, step))).toEqual([
      -1, 0, 0, 0, 1, 1,
    ]);
    expect(blockAt(summary, 1, 1)).toBe(2);
  });

  it("is the mean of a group, and a NaN in it is never lost", () => {
    const group = seriesOf(looks, summary, "zeros", [0, 1]);
    expect(group.log[0]).toBeCloseTo((0.625 + 0.5) / 2, 6);
    expect(group.log[4]).toBeCloseTo(0.625, 6);
    expect(group.status[4]).toBe(NAN);
    expect(numbersAt(looks, 4, [0, 1])).toMatchObject({ zeros: 0.625, status: NAN });
    expect(numbersAt(looks, -1, [0]).status).toBe(UNKNOWN);
  });

  it("refuses a summary of another model", () => {
    expect(() => decodeSummary(snapshot(made, 2).units, 3)).toThrow("units of 2 activations");
  });

  it("reads a message as it reads a trait", () => {
    const [content, buffers] = append(made, 0, 6, 1);
    expect(decodeRows(content, 2, buffers)).toEqual(decodeRows(snapshot(made, 6), 2));
    expect(decodeSummary(content.units, 2, buffers)).toEqual(summary);
  });
});

describe("the units of one activation", () => {
  const [result, buffers] = units({ name: "a", kind: "ReLU", units: 6, off: 2 }, 8);
  const read = decodeUnits(result, buffers as Bytes[]);

  it("puts the busiest first and the dead last", () => {
    const order = ordered(read, read.activity, "activity");
    expect(order.slice(-2)).toEqual([0, 1]);
    const mean = overall(read, read.activity);
    expect(order.map((u) => mean[u] as number)).toEqual([...mean].sort((a, b) => b - a));
    expect(ordered(read, read.activity, "number")).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("averages where there are more units than lines, and counts the dead apart", () => {
    const grid = gridOf(read, read.activity, [0, 1, 2, 3, 4, 5], 3);
    expect([0, 1, 2].map((line) => grid.members(line))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect([...grid.off]).toEqual([1, 0, 0]);
    expect(grid.share[0]).toBe(0);
    const two = ((read.activity[2] as number) + (read.activity[3] as number)) / 2 / 65535;
    expect(grid.share[grid.blocks]).toBeCloseTo(two, 6);
    const half = gridOf(read, read.activity, [1, 2, 3, 4], 2);
    expect([...half.off]).toEqual([0.5, 0]);
  });

  it("spans the steps from the first to the last block", () => {
    const grid = gridOf(read, read.activity, [0], 1);
    expect([grid.first, grid.last]).toEqual([1, 36]);
    expect([...grid.edges].map((edge) => Math.round(edge * 35))).toEqual([0, 20, 35]);
  });
});
