import { describe, expect, it } from "vitest";
import {
  axisFor,
  extentOf,
  kindFor,
  placeOn,
  ticksOn,
  tickTexts,
} from "../../src/views/loss_curve/axis";
import { cellsOf, smooth, spikesOf } from "../../src/views/loss_curve/cells";
import { labelLeft, placesOf } from "../../src/views/loss_curve/findings";
import { groupsOf } from "../../src/views/loss_curve/groups";
import { badRuns } from "../../src/views/loss_curve/paint";
import { pictureOf } from "../../src/views/loss_curve/picture";
import { INFINITE, NAN, type Points, Track } from "../../src/views/loss_curve/track";

function points(
  start: number,
  steps: number[],
  values: number[],
  more: Partial<Points> = {},
): Points {
  const column = Float64Array.from(values);
  return {
    start,
    total: start + steps.length,
    logged: start + steps.length,
    steps: Float64Array.from(steps),
    values: column,
    low: column.slice(),
    high: column.slice(),
    bad: Uint8Array.from(values, (v) =>
      Number.isNaN(v) ? NAN : Number.isFinite(v) ? 0 : INFINITE,
    ),
    ...more,
  };
}

function track(values: number[], name = "loss", steps = values.map((_, i) => i + 1)): Track {
  const made = new Track(name);
  made.append(points(0, steps, values));
  return made;
}

const held = (made: Track) => [...made.steps.slice(0, made.length)];

describe("Track", () => {
  it("adds points that follow, refuses those after a gap, skips what it has", () => {
    const made = track([1, 2, 3]);
    expect(made.append(points(3, [4], [4]))).toBe(true);
    expect(made.append(points(6, [7], [7]))).toBe(false);
    expect(made.append(points(2, [3, 4, 5], [3, 4, 5]))).toBe(true);
    expect(held(made)).toEqual([1, 2, 3, 4, 5]);
    expect(made.append(points(1, [2, 3], [2, 3]))).toBe(true);
    expect(held(made)).toEqual([1, 2, 3, 4, 5]);
  });

  it("goes on after a sketch where the kernel stands", () => {
    const made = new Track("loss");
    made.append(points(0, [1, 50, 100], [1, 1, 1], { total: 100 }));
    expect(made.append(points(100, [101], [2]))).toBe(true);
    expect(held(made)).toEqual([1, 50, 100, 101]);
  });

  it("does not cut a sketch that overlaps: it asks for all of it", () => {
    const made = track([1, 2, 3]);
    expect(made.append(points(2, [3, 90], [1, 1], { total: 90 }))).toBe(false);
    expect(made.length).toBe(3);
  });

  it("starts anew where older points were merged", () => {
    const made = track([1, 2, 3, 4]);
    made.append(points(0, [1, 3], [1.5, 3.5], { total: 2 }));
    expect(held(made)).toEqual([1, 3]);
    expect(made.next).toBe(2);
  });

  it("puts what was logged for an earlier step where it belongs", () => {
    const made = track([1, 2, 3], "loss", [1, 5, 3]);
    expect(held(made)).toEqual([1, 3, 5]);
    expect([...made.values.slice(0, 3)]).toEqual([1, 3, 2]);
  });

  it("finds the last point at or before a step", () => {
    const made = track([1, 2, 3], "loss", [2, 4, 6]);
    expect([1, 2, 5, 6, 99].map((step) => made.indexAt(step))).toEqual([-1, 0, 1, 2, 2]);
  });
});

describe("cells", () => {
  it("keep the mean and the full range of their points", () => {
    const cells = cellsOf(track([1, 3, 8, 0]), 1, 5, 2);
    expect([...cells.mean.slice(0, 2)]).toEqual([2, 4]);
    expect([...cells.low.slice(0, 2)]).toEqual([1, 0]);
    expect([...cells.high.slice(0, 2)]).toEqual([3, 8]);
    expect([...cells.steps.slice(0, 2)]).toEqual([1.5, 3.5]);
  });

  it("leave empty columns out and keep the last step", () => {
    const cells = cellsOf(track([1, 2], "loss", [1, 101]), 1, 101, 10);
    expect(cells.length).toBe(2);
    expect([...cells.steps]).toEqual([1, 101]);
  });

  it("never lose a NaN or an infinity among many points, and a NaN is worse", () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i === 500 ? Number.NaN : 1));
    values[700] = Number.POSITIVE_INFINITY;
    const cells = cellsOf(track(values), 1, 1000, 10);
    expect([...cells.bad.slice(0, cells.length)]).toEqual([0, 0, 0, 0, 0, NAN, 0, INFINITE, 0, 0]);
    expect([...cells.mean.slice(0, cells.length)]).toEqual(new Array(10).fill(1));
    const both = cellsOf(track([Number.POSITIVE_INFINITY, Number.NaN]), 1, 2, 1);
    expect([both.bad[0], both.mean[0]]).toEqual([NAN, Number.NaN]);
  });

  it("are one for one point", () => {
    expect(cellsOf(track([2]), 1, 2, 100)).toMatchObject({ length: 1 });
  });
});

describe("smoothing", () => {
  const cells = (values: number[]) => cellsOf(track(values), 1, values.length, values.length * 2);

  it("of no reach changes nothing; of endless reach is the mean", () => {
    expect([...smooth(cells([1, 5, 3]), 0)]).toEqual([1, 5, 3]);
    for (const value of smooth(cells([1, 5, 3]), 1e12)) expect(value).toBeCloseTo(3, 6);
  });

  it("weighs neighbours by their distance, alike on both sides", () => {
    const w = Math.exp(-1);
    const [a, b, c] = smooth(cells([1, 0, 0]), 1);
    expect(a).toBeCloseTo(1 / (1 + w + w * w), 10);
    expect(b).toBeCloseTo(w / (1 + 2 * w), 10);
    expect(c).toBeCloseTo((w * w) / (1 + w + w * w), 10);
  });

  it("steps over what is no number and leaves it one", () => {
    const out = smooth(cells([1, Number.NaN, 3]), 1e12);
    expect(out[0]).toBeCloseTo(2, 6);
    expect(out[1]).toBeNaN();
  });

  it("goes on beneath a spike that is left out", () => {
    const out = smooth(cells([1, 100, 3]), 1e12, [1]);
    for (const value of out) expect(value).toBeCloseTo(2, 6);
  });

  it("is the geometric mean on a log axis", () => {
    for (const value of smooth(cells([1, 100]), 1e12, [], true)) expect(value).toBeCloseTo(10, 6);
  });
});

describe("spikes", () => {
  const noisy = (n: number) => Array.from({ length: n }, (_, i) => 1 + 0.1 * Math.sin(i * 2.4));
  const found = (values: number[]) =>
    spikesOf(cellsOf(track(values), 1, values.length, values.length * 2));

  it("stand far out of the noise around them", () => {
    const values = noisy(100);
    values[40] = 5;
    expect(found(values)).toEqual([40]);
  });

  it("are marked once, at the top, when they are wide", () => {
    const values = noisy(100);
    values.splice(60, 3, 4, 9, 5);
    expect(found(values)).toEqual([61]);
  });

  it("are found within a pixel of a long training", () => {
    const values = noisy(100_000);
    values[52_345] = 7;
    expect(spikesOf(cellsOf(track(values), 1, 100_000, 500))).toEqual([261]);
  });

  it("are not noise, a steep start, a jump to another level, or a few points", () => {
    expect(found(noisy(200))).toEqual([]);
    expect(found(Array.from({ length: 200 }, (_, i) => 3 * Math.exp(-i / 8)))).toEqual([]);
    expect(found([...noisy(60), ...noisy(60).map((v) => v + 5)])).toEqual([]);
    const rest = new Array(40).fill(0.1);
    expect(found([2, 2.1, 1.5, 0.6, 0.2, ...rest])).toEqual([]); // the first steps, well above
    expect(found([...rest, 0.2, 0.8, 3, 9])).toEqual([]); // a divergence towers over one side
    expect(found([1, 1, 1, 50, 1, 1])).toEqual([]);
    expect(found(new Array(100).fill(0))).toEqual([]);
  });
});

describe("the value axis", () => {
  const extent = (values: number[], spikes: number[] = []) =>
    extentOf([{ cells: cellsOf(track(values), 1, values.length, 1000), spikes }]);

  it("is logarithmic where values span many decades and are positive", () => {
    expect(kindFor(extent([0.001, 1]))).toBe("log");
    expect(kindFor(extent([0.1, 1]))).toBe("linear");
    expect(kindFor(extent([0, 1000]))).toBe("linear");
    expect(kindFor(extent([Number.NaN]))).toBe("linear");
  });

  it("is not stretched by a spike far above the rest, but by a small one", () => {
    const far = axisFor(extent([1, 2, 90, 2], [2]), "linear", 1);
    expect(far.high).toBeLessThan(3);
    expect(placeOn(far, 90)).toBeGreaterThan(1);
    const near = axisFor(extent([1, 2, 2.5, 2], [2]), "linear", 1);
    expect(placeOn(near, 2.5)).toBeLessThan(1);
  });

  it("has room for a single value and for none", () => {
    const one = axisFor(extent([2]), "linear", 2);
    expect(one.low).toBeLessThan(2);
    expect(one.high).toBeGreaterThan(2);
    expect(axisFor(extent([Number.NaN]), "log", Number.NaN)).toMatchObject({ low: 0, high: 1 });
    expect(axisFor(extent([-1, -2]), "log", Number.NaN)).toMatchObject({ low: -1, high: 0 });
  });

  it("labels round values, with as many decimals as tell them apart", () => {
    expect(ticksOn({ kind: "linear", low: 0, high: 1.6 }, 4)).toEqual([0, 0.5, 1, 1.5]);
    expect(tickTexts([0, 0.5, 1, 1.5])).toEqual(["0.0", "0.5", "1.0", "1.5"]);
    expect(tickTexts([-1000, 0, 1000])).toEqual(["−1,000", "0", "1,000"]);
    expect(ticksOn({ kind: "log", low: -3.1, high: 1.2 }, 9).map(Math.log10)).toEqual([
      -3, -2, -1, 0, 1,
    ]);
    const close = ticksOn({ kind: "log", low: Math.log10(0.9), high: Math.log10(4) }, 5);
    expect(close).toEqual([1, 2, 3]);
  });
});

describe("groups", () => {
  it("put the loss first and what belongs together into one picture", () => {
    const names = ["lr", "val_loss", "val/accuracy", "train_accuracy", "loss", "value"];
    const groups = groupsOf(names.map((name) => track([1], name)));
    expect(groups.map(({ name }) => name)).toEqual(["loss", "lr", "accuracy", "value"]);
    expect(groups[0]?.members.map(({ role }) => role)).toEqual(["step", "val"]);
    expect(groups[2]?.members.map(({ track: { name } }) => name)).toEqual([
      "train_accuracy",
      "val/accuracy",
    ]);
  });

  it("leave out series without a point", () => {
    expect(groupsOf([new Track("loss")])).toEqual([]);
  });
});

describe("the places of findings", () => {
  const finding = (code: string, evidence: Record<string, unknown>) => ({
    code,
    severity: "warning" as const,
    subject: "loss",
    message: "m",
    remedy: "",
    evidence,
  });

  it("are a step, a span, or from a step to the end; others have none", () => {
    const places = placesOf(
      [
        finding("loss.nonfinite", { step: 30 }),
        finding("loss.unstable", { from_step: 40, to_step: 60 }),
        finding("loss.diverging", { from_step: 70 }),
        finding("loss.flat", {}),
        finding("loss.overfitting", { step: 5000 }),
      ],
      1,
      100,
      1000,
    );
    expect(places.map(({ word, from, to }) => [word, from, to])).toEqual([
      ["NaN or infinite", 30, 30],
      ["unstable", 40, 60],
      ["diverging", 70, 100],
      ["overfitting", 100, 100],
    ]);
  });

  it("have labels that neither overlap nor hang over", () => {
    const all = [1, 2, 50, 99].map((step) => finding(`loss.f${step}`, { step }));
    const places = placesOf(all, 1, 100, 400);
    expect(places.map(({ lane }) => lane)).toEqual([0, 1, 0, 0]);
    for (const place of places) expect(labelLeft(place, 1, 100, 400)).toBeLessThan(350);
  });
});

describe("a picture", () => {
  it("needs a point", () => {
    expect(pictureOf(undefined, 500, null, 3)).toBeNull();
    expect(pictureOf({ name: "loss", members: [] }, 500, null, 3)).toBeNull();
  });

  it("draws few points as they are, many as a band", () => {
    const [few, many] = [10, 500].map((n) => track(new Array(n).fill(1)));
    const group = groupsOf([few as Track])[0];
    expect(pictureOf(group, 500, null, 3)?.layers[0]?.dense).toBe(false);
    expect(pictureOf(groupsOf([many as Track])[0], 500, null, 3)?.layers[0]?.dense).toBe(true);
  });

  it("joins neighbours that are not finite into one mark", () => {
    const cells = cellsOf(
      track([1, Number.NaN, Number.NaN, 1, Number.POSITIVE_INFINITY]),
      1,
      5,
      50,
    );
    expect(badRuns(cells)).toEqual([
      { from: 1, to: 2, status: NAN },
      { from: 4, to: 4, status: INFINITE },
    ]);
  });
});
