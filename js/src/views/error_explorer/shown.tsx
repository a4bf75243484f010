import { Name, percent } from "../../ui";
import type { FeatureRow, Shown } from "./types";

/** A value this close to either end of the data is called unusual. */
const UNUSUAL = 0.05;

/** A sample that is no picture: the features of a row, a text, or why there is nothing to see. */
export function Content({ shown, full }: { shown: Shown; full?: boolean }) {
  if (shown.table) return <Features rows={shown.table} more={shown.more ?? 0} full={full} />;
  if (shown.text !== undefined) {
    return <p class={`ex-text${full ? " ex-full" : ""}`}>{shown.text || "(empty text)"}</p>;
  }
  return <p class="ex-text nbd-muted">{shown.failed ?? "nothing to show"}</p>;
}

interface FeaturesProps {
  rows: readonly FeatureRow[];
  /** Features that are not listed. */
  more: number;
  full?: boolean;
}

/** Values with their place in the data: a dot between the lowest and the highest. */
function Features({ rows, more, full }: FeaturesProps) {
  return (
    <div class={`ex-features${full ? " ex-full" : ""}`}>
      <table>
        {full && (
          <thead>
            <tr>
              <th scope="col">feature</th>
              <th scope="col">value</th>
              <th scope="col">low to high</th>
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map(([name, value, place]) => (
            <tr key={name} class={isUnusual(place) ? "ex-unusual" : undefined}>
              <th scope="row">
                <Name name={name} max={full ? 40 : 22} />
              </th>
              <td>
                <Name name={value} max={full ? 40 : 10} />
              </td>
              <td title={placeWords(place)}>
                {place !== null && (
                  <span class="ex-place" role="img" aria-label={placeWords(place)}>
                    <span style={{ left: `${100 * place}%` }} />
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {full && more > 0 && <p class="nbd-muted">{more} more, closer to the middle of the data</p>}
    </div>
  );
}

function isUnusual(place: number | null): boolean {
  return place !== null && Math.min(place, 1 - place) < UNUSUAL;
}

export function placeWords(place: number | null): string {
  if (place === null) return "";
  return place >= 0.5
    ? `higher than ${percent(place, 2)} of the data`
    : `lower than ${percent(1 - place, 2)} of the data`;
}
