import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import {
  Canvas,
  type Draw,
  Name,
  number,
  type Pane,
  percent,
  type RGB,
  Tooltip,
  useTheme,
} from "../../ui";
import { drawMarks, type Mark, markAt } from "./marks";
import { paintField } from "./paint";
import {
  placeOn,
  probabilitiesAt,
  reachAt,
  type Slice,
  ticksOn,
  tickTexts,
  valueAt,
} from "./slice";
import type { Info, Settings } from "./store";
import type { Place } from "./view";

interface Props {
  slice: Slice;
  settings: Settings;
  info: Info;
  marks: readonly Mark[];
  chosen: number | null;
  cursor: Place | null;
  pointed: Place | null;
  width: number;
  height: number;
  left: number;
  onKey: (event: KeyboardEvent) => void;
  onPointer: (event: PointerEvent, x: number, y: number) => void;
  onLeave: () => void;
}

const PAPER: Record<string, RGB> = { light: [255, 255, 255], dark: [17, 17, 17] };

/** The field with its axes, samples, cursor and tooltip. */
export function Plot(props: Props): JSX.Element {
  const { slice, settings, info, marks, chosen, cursor, pointed, width, height, left } = props;
  const theme = useTheme();
  const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
  const shown = settings.shown === null ? null : slice.field.classes.indexOf(settings.shown);
  const paper = PAPER[theme] as RGB;
  const picture = useMemo(() => {
    const look = {
      shown: shown !== null && shown < 0 ? null : shown,
      control: settings.control,
      theme,
      paper,
      classes: info.classes.length,
    };
    const image = paintField(slice, Math.round(width * ratio), Math.round(height * ratio), look);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    return canvas;
  }, [slice, shown, settings.control, theme, width, height, ratio, info.classes.length]);
  const draw: Draw = useCallback(
    (context: CanvasRenderingContext2D, pane: Pane) => {
      context.drawImage(picture, 0, 0, width, height);
      const ink = pane.color("--nbd-fg");
      const ground = theme === "dark" ? "#111" : "#fff";
      if (settings.points) drawMarks(context, marks, chosen, ground, ink);
      if (cursor) {
        const [x, y] = [cursor.x * width, (1 - cursor.y) * height];
        context.strokeStyle = ink;
        context.lineWidth = 1;
        context.setLineDash([3, 3]);
        context.beginPath();
        context.moveTo(x, 0);
        context.lineTo(x, height);
        context.moveTo(0, y);
        context.lineTo(width, y);
        context.stroke();
        context.setLineDash([]);
      }
    },
    [picture, marks, chosen, cursor, settings.points, theme, width, height],
  );
  const [xTicks, yTicks] = [ticksOn(slice.x, Math.max(4, width / 75)), ticksOn(slice.y, 6)];
  const [xTexts, yTexts] = [tickTexts(xTicks), tickTexts(yTicks)];
  const read = pointed ?? cursor;
  const label = `${slice.x.name} against ${slice.y.name}: the model's answers. Arrow keys move a cross.`;
  return (
    <div class="db-figure" style={{ "--db-left": `${left}px` }}>
      <div class="db-ytitle">
        <Name name={slice.y.name} max={40} />
      </div>
      <div class="db-yaxis" style={{ height: `${height}px` }}>
        {yTicks.map((value, i) => (
          <span key={value} style={{ top: `${(1 - placeOn(slice.y, value)) * height}px` }}>
            {yTexts[i]}
          </span>
        ))}
      </div>
      <div
        class="db-plot"
        role="group"
        tabIndex={0}
        aria-label={label}
        style={{ width: `${width}px` }}
        onKeyDown={props.onKey}
      >
        <Canvas
          draw={draw}
          height={height}
          label={label}
          onPointer={props.onPointer}
          onLeave={props.onLeave}
        />
        {read && (
          <Tooltip x={read.x * width} y={(1 - read.y) * height}>
            <Reading
              slice={slice}
              info={info}
              place={read}
              mark={settings.points ? markAt(marks, read.x * width, (1 - read.y) * height) : null}
            />
          </Tooltip>
        )}
      </div>
      <div class="db-xaxis" style={{ width: `${width}px` }}>
        {xTicks.map((value, i) => (
          <span key={value} style={{ left: `${placeOn(slice.x, value) * width}px` }}>
            {xTexts[i]}
          </span>
        ))}
      </div>
      <div class="db-xtitle" style={{ width: `${width}px` }}>
        <Name name={slice.x.name} max={60} />
      </div>
    </div>
  );
}

/** What the model says at a place, and which sample is there. */
function Reading(props: {
  slice: Slice;
  info: Info;
  place: Place;
  mark: Mark | null;
}): JSX.Element {
  const { slice, info, place, mark } = props;
  const { x, y, field } = slice;
  const told = probabilitiesAt(slice, place.x, place.y);
  const far = reachAt(slice, place.x, place.y);
  const best = field.classes
    .map((number, k) => ({ name: info.classes[number] ?? String(number), p: told[k] as number }))
    .sort((a, b) => b.p - a.p)
    .slice(0, 3);
  return (
    <>
      <div>
        {x.name} {number(valueAt(x, place.x))}, {y.name} {number(valueAt(y, place.y))}
      </div>
      {best.some(({ p }) => Number.isNaN(p)) ? (
        <div>no finite answer</div>
      ) : (
        best.map(({ name, p }) => (
          <div key={name}>
            {name} <b>{percent(p)}</b>
          </div>
        ))
      )}
      {far > 1 && <div class="nbd-muted">no samples near: {farText(far)}</div>}
      {mark && <div>{sampleText(slice, info, mark)}</div>}
    </>
  );
}

function farText(far: number): string {
  return far >= 9 ? "far outside" : `${number(far, 2)} times as far as usual`;
}

export function sampleText(slice: Slice, info: Info, mark: Mark): string {
  const told = slice.points.told[mark.index] as number;
  const name = (n: number) => (n < 0 ? "nothing" : (info.classes[n] ?? String(n)));
  const words = `sample ${mark.row}: predicted ${name(told)}`;
  return slice.points.true ? `${words}, true ${name(mark.kind)}` : words;
}
