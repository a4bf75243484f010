import type { JSX } from "preact";
import { Icon } from "../../ui";
import { labelLeft, type Place } from "./findings";
import { GUTTER } from "./paint";
import type { Picture } from "./picture";

const LANE = 22;

interface Props {
  places: readonly Place[];
  picture: Picture;
  width: number;
  height: number;
  chosen: string | null;
  onChoose: (code: string) => void;
}

/** The words of the findings over the places where they happen; a click shows one in full. */
export function Labels(props: Props): JSX.Element | null {
  const { places, picture, width, height, chosen, onChoose } = props;
  if (places.length === 0) return null;
  const shown = places.find(({ finding }) => finding.code === chosen)?.finding;
  return (
    <>
      {shown && (
        <p class={`lc-chosen nbd-finding nbd-${shown.severity}`}>
          <span>
            <b>{shown.message}</b> {shown.remedy}
          </span>
        </p>
      )}
      <div class="lc-labels" style={{ height: `${height}px`, marginLeft: `${GUTTER}px` }}>
        {places.map((place) => (
          <button
            key={place.finding.code}
            type="button"
            class={`lc-label lc-${place.finding.severity}`}
            aria-pressed={place.finding.code === chosen}
            title={place.finding.message}
            data-place={place.finding.code}
            data-from={place.from}
            data-to={place.to}
            style={{
              left: `${labelLeft(place, picture.first, picture.last, width)}px`,
              top: `${place.lane * LANE}px`,
            }}
            onClick={() => onChoose(place.finding.code)}
          >
            <Icon name={place.finding.severity} size={12} />
            {place.word}
          </button>
        ))}
      </div>
    </>
  );
}
