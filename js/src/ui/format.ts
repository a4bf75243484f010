const SUPERSCRIPT: Record<string, string> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

/** -3 -> "10⁻³" */
export function power(exponent: number): string {
  return `10${[...String(exponent)].map((c) => SUPERSCRIPT[c] ?? c).join("")}`;
}

/** Thousands separators for digits. (toLocaleString would do it a hundred times slower.) */
function grouped(digits: string): string {
  const [whole = "", rest] = digits.split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? text : `${text}.${rest}`;
}

/** Three significant digits: 0.0123, 1,230, 1.23×10⁻⁷; "NaN", "∞" and "−∞" as such. */
export function number(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e");
  const e = Number(exponent);
  if (e < -4 || e > 6) return `${mantissa.replace("-", "−")}×${power(e)}`;
  const rounded = Math.abs(Number(value.toPrecision(digits)));
  const text = grouped(rounded.toFixed(Math.max(0, digits - 1 - e)));
  return value < 0 ? `−${text}` : text;
}

/** A whole number with thousands separators: 12,345. */
export function count(value: number): string {
  const text = grouped(Math.abs(Math.round(value)).toFixed(0));
  return value <= -0.5 ? `−${text}` : text;
}

/** A count for tight places: 950, 12.3 k, 2.36 M, 1.2 G. */
export function short(value: number): string {
  for (const [limit, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (Math.abs(value) >= limit) {
      return `${number(value / (unit === "k" ? 1e3 : limit))} ${unit}`;
    }
  }
  return count(value);
}

/** A share as a percentage: 0.0123 -> "1.23 %". */
export function percent(share: number, digits = 3): string {
  if (!Number.isFinite(share)) return "–";
  if (share !== 0 && Math.abs(share) < 0.0001) return "< 0.01 %";
  return `${number(share * 100, digits)} %`;
}

/** "1 step", "2 steps". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Shortens in the middle, where names differ least: "encoder…mlp.fc2". */
export function shorten(name: string, max: number, tailShare = 0.6): string {
  const chars = [...name];
  if (chars.length <= max) return name;
  if (max <= 1) return "…";
  const tail = Math.ceil((max - 1) * tailShare);
  return `${chars.slice(0, max - 1 - tail).join("")}…${chars.slice(chars.length - tail).join("")}`;
}

/** Shortens names that stand side by side where most of them stay apart: middle, end or start. */
export function shortenAll(names: readonly string[], max: number): string[] {
  let best: string[] = [];
  let most = -1;
  for (const tailShare of [0.6, 0, 1]) {
    const texts = names.map((name) => shorten(name, max, tailShare));
    const apart = new Set(texts).size;
    if (apart > most) [best, most] = [texts, apart];
  }
  return best;
}
