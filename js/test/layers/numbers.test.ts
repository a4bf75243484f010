import { describe, expect, it } from "vitest";
import { append, train } from "../../dev/training";
import { columnsOf, gapAt, gapsOf, squeeze } from "../../src/layers/columns";
import { runsOf } from "../../src/layers/heatmap";
import { decodeRows, History, type Rows } from "../../src/layers/history";
import { measureNames } from "../../src/layers/measure";
import { domainOf, share, tickStep, ticks } from "../../src/layers/scale";
import { median, Series } from "../../src/layers/series";
import {
  FROZEN,
  INF,
  NAN,
  NONE,
  OK,
  UNDEFINED,
  UNKNOWN,
  worse,
  ZERO,
} from "../../src/layers/status";

/** One layer, one number a sample. */
function rows(start: number, steps: number[], norms: number[], more: Partial<Rows> = {}): Rows {
  return {
    start,
    total: start + steps.length,
    steps: Float64Array.from(steps),
    norms: Float32Array.from(norms),
    weights: new Float32Array(norms.length).fill(2),
    status: new Uint8Array(norms.length),
    ...more,
  };
}

describe("tickStep", () => {
  it("is what the labels of an axis of that width are apart", () => {
    expect(tickStep({ low: -3, high: 0 }, 8)).toBe(1);
    expect(tickStep({ low: -30, high: 3 }, 8)).toBe(5);
    expect(ticks({ low: -30, high: 3 }, 8)).toEqual([-27, -22, -17, -12, -7, -2, 3]);
  });
});

describe("measureNames", () => {
  it("gives an open group, which is bold, fewer characters of the same column", () => {
    const name = "a_block_with_a_very_long_name";
    const node = { id: name, path: name, label: name, depth: 0, layers: [0], children: [] };
    const group = { ...node, children: [node] };
    const names = measureNames([group], () => "", 80, 120);
    expect(names.width).toBe(120);
    expect([names.chars(0, false), names.chars(0, true)]).toEqual([13, 11]);
    expect(measureNames([group], () => "", 80, 400).chars(0, true)).toBeGreaterThanOrEqual(29);
  });
});

describe("History", () => {
  it("adds rows that follow", () => {
    const history = new History(1);
    expect(history.append(rows(0, [1, 2], [0.1, 0.2]))).toBe(true);
    expect(history.append(rows(2, [5], [0.5]))).toBe(true);
    expect([...history.steps.slice(0, history.length)]).toEqual([1, 2, 5]);
    expect(history.epoch).toBe(1);
  });

  it("refuses rows after a gap, and adds nothing then", () => {
    const history = new History(1);
    history.append(rows(0, [1], [1]));
    expect(history.append(rows(2, [3], [1]))).toBe(false);
    expect(history.length).toBe(1);
  });

  it("skips what it has already", () => {
    const history = new History(1);
    history.reset(rows(0, [1, 2, 3], [1, 2, 3]));
    expect(history.append(rows(1, [2, 3, 4], [2, 3, 4]))).toBe(true);
    expect([...history.steps.slice(0, history.length)]).toEqual([1, 2, 3, 4]);
    expect([...history.norms.slice(0, history.length)]).toEqual([1, 2, 3, 4]);
    expect(history.append(rows(1, [2], [2]))).toBe(true);
    expect(history.length).toBe(4);
  });

  it("goes on after a thinned sketch where the kernel stands", () => {
    const history = new History(1);
    history.reset(rows(0, [1, 50, 100], [1, 1, 1], { total: 100 }));
    expect(history.append(rows(100, [101], [1]))).toBe(true);
    expect(history.length).toBe(4);
  });

  it("lets rows give way that came before they were settled", () => {
    const history = new History(1);
    history.reset(rows(0, [1, 5, 9, 11], [1, 1, 1, 1], { total: 2 }));
    expect(history.newest).toBe(11);
    const { epoch } = history;
    expect(history.append(rows(2, [9, 13], [2, 2]))).toBe(true);
    expect([...history.steps.slice(0, history.length)]).toEqual([1, 5, 9, 13]);
    expect([...history.norms.slice(0, 4)]).toEqual([1, 1, 2, 2]);
    expect(history.epoch).toBe(epoch + 1);
  });

  it("starts anew with rows from 0", () => {
    const history = new History(1);
    history.append(rows(0, [1, 2, 3], [1, 1, 1]));
    history.append(rows(0, [2], [1]));
    expect(history.length).toBe(1);
    expect(history.epoch).toBe(2);
  });

  it("finds the sample at or before a step", () => {
    const history = new History(1);
    history.reset(rows(0, [10, 20, 30], [1, 1, 1]));
    expect([5, 10, 19, 20, 99].map((step) => history.indexAt(step))).toEqual([0, 0, 0, 1, 2]);
  });

  it("grows past its capacity without losing anything", () => {
    const history = new History(3);
    const all = train(200, 3);
    for (let t = 0; t < 200; t += 10) {
      const [content, buffers] = append(all, t, t + 10);
      history.append(decodeRows(content, 3, buffers));
    }
    expect(history.length).toBe(200);
    expect([...history.norms.slice(0, 600)]).toEqual([...all.norms]);
  });

  it("refuses rows of another model", () => {
    const [content, buffers] = append(train(2, 3), 0, 2);
    expect(() => decodeRows(content, 4, buffers)).toThrow("status is [2, 3], expected [2, 4]");
  });
});

describe("Series", () => {
  it("tells every kind of no-number apart", () => {
    const history = new History(1);
    const values = [1, 0, Number.NaN, Number.POSITIVE_INFINITY, 5, 5, 5, 5, 1];
    history.reset(
      rows(0, [1, 2, 3, 4, 5, 6, 7, 8, 9], values, {
        status: Uint8Array.from([OK, OK, OK, OK, NONE, FROZEN, NAN, INF, OK]),
        weights: Float32Array.from([1, 1, 1, 1, 1, 1, 1, 1, 0]),
      }),
    );
    const norm = new Series(history, "norm", [0]).follow();
    const expected = [OK, ZERO, NAN, INF, NONE, FROZEN, NAN, INF];
    expect([...norm.status.slice(0, 9)]).toEqual([...expected, OK]);
    expect([norm.low, norm.high]).toEqual([0, 0]);
    const relative = new Series(history, "relative", [0]).follow();
    expect([...relative.status.slice(0, 9)]).toEqual([...expected, UNDEFINED]);
  });

  it("divides by the weights' norm", () => {
    const history = new History(1);
    history.reset(rows(0, [1], [0.2]));
    expect(new Series(history, "relative", [0]).follow().log[0]).toBeCloseTo(-1, 6);
  });

  it("tells an update that was not seen from one that is zero, NaN or frozen", () => {
    const history = new History(1);
    const nan = Number.NaN;
    history.reset(
      rows(0, [1, 2, 3, 4, 5, 6], Array(6).fill(1), {
        status: Uint8Array.from([OK, OK, OK, FROZEN, OK, NAN]),
        updates: Float32Array.from([0.02, nan, 0, nan, nan, 0.2]),
        weights: Float32Array.from([2, 2, 2, 2, nan, 2]),
      }),
    );
    const update = new Series(history, "update", [0]).follow();
    expect([...update.status.slice(0, 6)]).toEqual([OK, UNKNOWN, ZERO, FROZEN, NAN, OK]);
    expect(update.log[0]).toBeCloseTo(-2, 6);
    const weight = new Series(history, "weight", [0]).follow();
    expect([...weight.status.slice(0, 6)]).toEqual([OK, OK, OK, OK, NAN, OK]);
  });

  it("knows nothing of a column that was not sent", () => {
    const history = new History(1);
    history.reset(rows(0, [1], [1], { weights: undefined }));
    expect(history.updates[0]).toBeNaN();
    expect(new Series(history, "update", [0]).follow().status[0]).toBe(NAN);
  });

  it("takes a group's median and never loses a NaN in it", () => {
    const history = new History(4);
    const data = { norms: [0.001, Number.NaN, 0.1, 10], status: [OK, NAN, OK, OK] };
    history.reset(
      rows(0, [1], data.norms, {
        weights: new Float32Array(4),
        status: Uint8Array.from(data.status),
      }),
    );
    const series = new Series(history, "norm", [0, 1, 2, 3]).follow();
    expect(series.log[0]).toBeCloseTo(-1, 6);
    expect(series.status[0]).toBe(NAN);
    expect(series.members(0).map(Math.round)).toEqual([-3, -1, 1]);
  });

  it("is worked out anew when the history was replaced", () => {
    const history = new History(1);
    history.reset(rows(0, [1, 2], [100, 100]));
    const series = new Series(history, "norm", [0]).follow();
    history.reset(rows(0, [1], [0.01]));
    expect([series.follow().low, series.high].map((v) => Math.round(v))).toEqual([-2, -2]);
  });

  it.each([
    [[], Number.NaN],
    [[3], 3],
    [[3, 1], 2],
    [[9, 1, 2], 2],
  ])("median of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it.each([
    [OK, NAN, NAN],
    [INF, NAN, NAN],
    [FROZEN, NONE, NONE],
    [OK, FROZEN, OK],
    [NONE, OK, OK],
    [ZERO, INF, INF],
  ])("of %d and %d the worse is %d", (a, b, expected) => {
    expect([worse(a, b), worse(b, a)]).toEqual([expected, expected]);
  });
});

describe("the log axis", () => {
  it.each([
    [-2.5, 0.3, -3, 1],
    [-1, -1, -3, -1],
    [-2.05, -0.2, -3, 0],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3, 0],
  ])("of data from 10^%d to 10^%d goes from %d to %d", (low, high, from, to) => {
    expect(domainOf(low, high)).toEqual({ low: from, high: to });
  });

  it("places and clamps", () => {
    const domain = { low: -4, high: 0 };
    expect([-4, -1, 0, 3, -9].map((v) => share(domain, v))).toEqual([0, 0.75, 1, 1, 0]);
  });

  it("labels whole decades, no more than fit", () => {
    expect(ticks({ low: -3, high: 1 }, 9)).toEqual([-3, -2, -1, 0, 1]);
    expect(ticks({ low: -9, high: 1 }, 4)).toEqual([-8, -5, -2, 1]);
  });
});

describe("the heat map's columns", () => {
  const history = (steps: number[], norms: number[], status?: number[]) => {
    const made = new History(1);
    made.reset(rows(0, steps, norms, status && { status: Uint8Array.from(status) }));
    return made;
  };

  it("holds a sample until the next one", () => {
    const columns = columnsOf(history([1, 3, 5], [1, 1, 1]), 6); // steps 1 to 7
    expect([...columns.from]).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...columns.to]).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("leaves a long pause blank", () => {
    const columns = columnsOf(history([1, 2, 3, 99, 100], [1, 1, 1, 1, 1]), 100);
    const filled = [...columns.from].map((from, c) => (columns.to[c] as number) > from);
    expect(filled.slice(0, 10).every(Boolean)).toBe(true);
    expect(filled.slice(20, 90).some(Boolean)).toBe(false);
    expect(filled.slice(98).every(Boolean)).toBe(true);
  });

  it("finds the gap that a pause left", () => {
    const made = history([1, 2, 3, 99, 100], [1, 1, 1, 1, 1]);
    const gaps = gapsOf(columnsOf(made, 100));
    expect(gaps).toHaveLength(1);
    const [from, to] = gaps[0] as [number, number];
    expect(from).toBeGreaterThan(8);
    expect(to).toBe(98);
    expect(gapAt(made, 50)).toEqual([3, 99]);
    expect([2, 5, 99.5, 100].map((step) => gapAt(made, step))).toEqual([null, null, null, null]);
    expect(gapsOf(columnsOf(history([1, 2, 3], [1, 1, 1]), 50))).toEqual([]);
  });

  it("keeps one NaN among ten thousand samples", () => {
    const n = 10_000;
    const steps = Array.from({ length: n }, (_, i) => i + 1);
    const norms = steps.map((s) => (s === 7777 ? Number.NaN : 1));
    const made = history(
      steps,
      norms,
      norms.map((v) => (Number.isNaN(v) ? NAN : OK)),
    );
    const series = new Series(made, "norm", [0]).follow();
    const { log, status } = squeeze(series, columnsOf(made, 300));
    expect([...status].filter((s) => s === NAN)).toHaveLength(1);
    expect(runsOf(status, log)).toEqual([[NAN, 233, 234]]); // 7776 / 10000 * 300 = 233.28
    expect([...log].every((v) => v === 0)).toBe(true);
  });

  it("joins neighbours with the same mark and lets numbers cover what is harmless", () => {
    const nothing = Number.NaN;
    const status = Int8Array.from([FROZEN, FROZEN, OK, NAN, INF, NONE, -1]);
    const log = Float32Array.from([nothing, nothing, 1, 1, nothing, 1, nothing]);
    expect(runsOf(status, log)).toEqual([
      [FROZEN, 0, 2],
      [NAN, 3, 4],
      [INF, 4, 5],
    ]);
  });
});
