import { share } from "../../slices";
import { css, inkOn, type RGB, sequential, shortenAll, type Theme } from "../../ui";

interface Props {
  classes: readonly string[];
  /** (C, C + 1) counts, the last column of answers that are not finite. */
  matrix: Float64Array;
  others: Float64Array;
  theme: Theme;
}

const BACKGROUND: Record<Theme, RGB> = { light: [255, 255, 255], dark: [17, 17, 17] };
const RIGHT: Record<Theme, RGB> = { light: [229, 231, 234], dark: [56, 60, 66] };

/** The confusion matrix of a slice; beside each row how often its class is found, and elsewhere. */
export function Matrix({ classes, matrix, others, theme }: Props) {
  const n = classes.length;
  const wide = n + 1;
  const names = shortenAll(classes, n > 12 ? 9 : 12);
  const at = (counts: Float64Array, t: number, p: number) => counts[t * wide + p] ?? 0;
  const total = (counts: Float64Array, t: number) => {
    let sum = 0;
    for (let p = 0; p < wide; p++) sum += at(counts, t, p);
    return sum;
  };
  const lost = classes.some((_, t) => at(matrix, t, n) > 0);
  const columns = lost ? [...classes.keys(), n] : [...classes.keys()];
  let most = 0;
  for (const t of classes.keys()) {
    for (const p of columns) {
      const all = total(matrix, t);
      if (p !== t && all > 0) most = Math.max(most, at(matrix, t, p) / all);
    }
  }
  const scale = sequential(theme);
  const fill = (t: number, p: number): RGB => {
    const all = total(matrix, t);
    const value = all > 0 ? at(matrix, t, p) / all : 0;
    if (p === t) return all > 0 ? RIGHT[theme] : BACKGROUND[theme];
    if (value === 0) return BACKGROUND[theme];
    const [level, strength] = [value / most, Math.min(1, 0.45 + (0.75 * value) / most)];
    const colour = scale(level);
    const mix = (k: 0 | 1 | 2) =>
      Math.round(BACKGROUND[theme][k] + (colour[k] - BACKGROUND[theme][k]) * strength);
    return [mix(0), mix(1), mix(2)];
  };
  const longest = Math.max(...names.map((name) => name.length));
  const flat = !lost && (longest <= 2 || (n <= 6 && longest <= 6));
  return (
    <div class="se-matrix">
      <table class={n > 12 ? "se-small" : ""} aria-label="Confusion matrix of the slice">
        <thead>
          <tr>
            <th class="se-corner">true \ predicted</th>
            {columns.map((p) => (
              <th key={p} scope="col" class={flat ? "" : "se-up"}>
                <span title={classes[p]}>{p === n ? "not finite" : names[p]}</span>
              </th>
            ))}
            <th class="se-recall-head">found</th>
          </tr>
        </thead>
        <tbody>
          {classes.map((name, t) => (
            <tr key={name}>
              <th scope="row" title={name}>
                {names[t]}
              </th>
              {columns.map((p) => {
                const colour = fill(t, p);
                const value = at(matrix, t, p);
                return (
                  <td
                    key={p}
                    style={{ background: css(colour), color: inkOn(colour) }}
                    title={`true ${name}, predicted ${classes[p] ?? "not finite"}: ${value} of ${total(matrix, t)}`}
                  >
                    {value > 0 ? value : ""}
                  </td>
                );
              })}
              <td class="se-recall">
                <Recall
                  here={at(matrix, t, t) / total(matrix, t)}
                  there={at(others, t, t) / total(others, t)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="se-found nbd-muted">
        <span>share of each class that is found, 0 to 100 %:</span>
        <span>
          <i class="se-here" /> in this slice
        </span>
        <span>
          <i class="se-there" /> elsewhere
        </span>
      </p>
    </div>
  );
}

function Recall({ here, there }: { here: number; there: number }) {
  const said = `found in the slice ${share(here)}, elsewhere ${share(there)}`;
  return (
    <span class="se-dots" title={said} role="img" aria-label={said}>
      {Number.isFinite(there) && <i class="se-there" style={{ left: `${100 * there}%` }} />}
      {Number.isFinite(here) && <i class="se-here" style={{ left: `${100 * here}%` }} />}
    </span>
  );
}
