import { expect, it } from "vitest";
import {
  count,
  number,
  percent,
  plural,
  power,
  short,
  shorten,
  shortenAll,
} from "../../src/ui/format";

it.each([
  [0, "0"],
  [-0, "0"],
  [1, "1.00"],
  [0.0123456, "0.0123"],
  [-0.5, "−0.500"],
  [999.6, "1,000"],
  [9.996, "10.0"],
  [1234.5, "1,230"],
  [0.0001, "0.000100"],
  [0.0000999, "9.99×10⁻⁵"],
  [1234567, "1,230,000"],
  [1.5e7, "1.50×10⁷"],
  [1e-45, "1.00×10⁻⁴⁵"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("number(%d) is %s", (value, text) => {
  expect(number(value)).toBe(text);
});

it.each([
  [0, "10⁰"],
  [-3, "10⁻³"],
  [12, "10¹²"],
])("power(%d) is %s", (exponent, text) => {
  expect(power(exponent)).toBe(text);
});

it.each([
  [0, "0"],
  [9999, "9,999"],
  [12_345, "12.3 k"],
  [2_360_000, "2.36 M"],
  [1.2e9, "1.20 G"],
])("short(%d) is %s", (value, text) => {
  expect(short(value)).toBe(text);
});

it.each([
  [0, "0 %"],
  [0.0123, "1.23 %"],
  [0.00001, "< 0.01 %"],
  [Number.NaN, "–"],
])("percent(%d) is %s", (value, text) => {
  expect(percent(value)).toBe(text);
});

it("counts", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect(plural(1, "step")).toBe("1 step");
  expect(plural(0, "step")).toBe("0 steps");
  expect(plural(2, "class", "classes")).toBe("2 classes");
});

it.each([
  ["conv1", 5, "conv1"],
  ["layer4.1.conv2", 9, "lay…conv2"],
  ["äöüäöüäöü", 4, "ä…öü".replace("öü", "öü")],
  ["abc", 1, "…"],
])("shorten(%s, %d) is %s", (name, max, text) => {
  expect(shorten(name, max)).toBe(text);
  expect([...shorten(name, max)].length).toBeLessThanOrEqual(max);
});

it.each([
  [["conv1", "fc"], 5, ["conv1", "fc"]],
  [["layer1.0.conv1", "layer1.0.conv2"], 9, ["lay…conv1", "lay…conv2"]],
  [["species 01 of it", "species 02 of it"], 11, ["species 01…", "species 02…"]],
  [["a long one", "a long two"], 3, ["…ne", "…wo"]],
  [[], 5, []],
])("shortenAll(%j, %d) keeps names apart: %j", (names, max, texts) => {
  expect(shortenAll(names, max)).toEqual(texts);
});

it.each([
  [-1234567, "−1,234,567"],
  [-0.4, "0"],
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1e15, "1,000,000,000,000,000"],
])("count(%d) is %s", (value, text) => {
  expect(count(value)).toBe(text);
});
