import { describe, expect, test } from "vitest";
import { onTrait } from "../../dev/pack";
import { markAt, marksOf } from "../../src/views/decision_boundary/marks";
import {
  type Axis,
  between,
  cellAt,
  placeOn,
  probabilitiesAt,
  readSlice,
  type Slice,
  ticksOn,
  tickTexts,
  valueAt,
} from "../../src/views/decision_boundary/slice";

const smooth: Axis = {
  name: "a",
  number: 0,
  kind: "continuous",
  discrete: false,
  values: [0, 1, 2, 3, 4],
};
const binary: Axis = { name: "b", number: 1, kind: "binary", discrete: true, values: [0, 1] };
const whole: Axis = {
  name: "c",
  number: 2,
  kind: "integer",
  discrete: false,
  values: Array.from({ length: 21 }, (_, i) => 5 * i),
};

function made(x: Axis, y: Axis, more: Record<string, unknown> = {}): Slice {
  const [w, h] = [x.values.length, y.values.length];
  const left = Uint16Array.from({ length: w * h }, (_, i) => (i % w < w / 2 ? 65534 : 0));
  const field = [...left, ...left.map((v) => 65534 - v)];
  const slice = readSlice({
    x,
    y,
    classes: [3, 7],
    field: onTrait(Uint16Array.from(field), [2, h, w]),
    control: null,
    reach: onTrait(new Float32Array(w * h).fill(1), [h, w]),
    points: {
      x: onTrait(Float64Array.from([0, 2, 9]), [3]),
      y: onTrait(Float64Array.from([0, 1, 1]), [3]),
      rows: onTrait(Int32Array.from([10, 11, 12]), [3]),
      told: onTrait(Int32Array.from([3, 3, -1]), [3]),
      true: onTrait(Int32Array.from([3, 7, 7]), [3]),
      closeness: onTrait(Float32Array.from([1, 0.5, 1]), [3]),
    },
    hold: "typical",
    held: [],
    roughness: null,
    unmeasured: "",
    ...more,
  });
  if (!slice) throw new Error("no slice");
  return slice;
}

describe("axes", () => {
  test("places and values belong together", () => {
    for (const axis of [smooth, whole]) {
      for (const place of [0, 0.25, 0.5, 1]) {
        expect(placeOn(axis, valueAt(axis, place))).toBeCloseTo(place);
      }
    }
    expect(placeOn(smooth, 8)).toBe(2);
  });

  test("a binary feature is two bands", () => {
    expect([placeOn(binary, 0), placeOn(binary, 1)]).toEqual([0.25, 0.75]);
    expect([0, 0.49, 0.51, 1].map((p) => cellAt(binary, p))).toEqual([0, 0, 1, 1]);
    expect(valueAt(binary, 0.9)).toBe(1);
    expect(ticksOn(binary, 6)).toEqual([0, 1]);
  });

  test("ticks are round and share their decimals", () => {
    expect(ticksOn(smooth, 4)).toEqual([0, 1, 2, 3, 4]);
    expect(tickTexts([-0.5, 0, 0.5])).toEqual(["−0.5", "0.0", "0.5"]);
    expect(ticksOn(whole, 4).every(Number.isInteger)).toBe(true);
  });
});

describe("the field", () => {
  test("is read between cells, and NaN stays where it is", () => {
    const grid = Float32Array.from([0, 1, 2, 3, 4, 5]);
    expect(between(grid, 0, 3, 2, 0.5, 0.5)).toBe(2);
    expect(between(grid, 0, 3, 2, 2, 1)).toBe(5);
    expect(between(Float32Array.from([0, Number.NaN, 2, 3]), 0, 2, 2, 0, 0)).toBe(0);
    expect(between(Float32Array.from([0, Number.NaN, 2, 3]), 0, 2, 2, 0.5, 0)).toBeNaN();
  });

  test("probabilities come in the order of its classes", () => {
    const slice = made(smooth, binary);
    expect([...probabilitiesAt(slice, 0, 0)]).toEqual([1, 0]);
    expect([...probabilitiesAt(slice, 1, 1)]).toEqual([0, 1]);
  });

  test("no slice and a slice that does not add up", () => {
    expect(readSlice({})).toBeNull();
    expect(() => made(smooth, binary, { reach: { dtype: "float32", shape: [9] } })).toThrow();
  });
});

describe("samples", () => {
  test("wrong ones are marked, those beyond the axes counted", () => {
    const [marks, outside] = marksOf(made(smooth, { ...smooth, name: "d" }), 400, 100);
    expect(outside).toBe(1);
    expect(marks.map(({ row, wrong }) => [row, wrong])).toEqual([
      [11, true],
      [10, false],
    ]);
    expect([marks[1]?.x, marks[1]?.y]).toEqual([0, 100]);
  });

  test("on a binary axis they are spread within their band, the same each time", () => {
    const slice = made(smooth, binary);
    const [marks] = marksOf(slice, 400, 100);
    expect(marks.map(({ y }) => y)).toEqual(marksOf(slice, 400, 100)[0].map(({ y }) => y));
    for (const { y, row } of marks) expect(y > 50).toBe(row === 10);
  });

  test("the nearest within reach is found", () => {
    const [marks] = marksOf(made(smooth, { ...smooth, name: "d" }), 400, 100);
    expect(markAt(marks, 3, 97)?.row).toBe(10);
    expect(markAt(marks, 60, 60)).toBeNull();
  });
});
