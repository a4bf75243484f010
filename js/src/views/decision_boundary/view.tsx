import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import {
  Empty,
  keys,
  Panel,
  plural,
  type State,
  stateWith,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import { Commands } from "./commands";
import { type Mark, markAt, marksOf } from "./marks";
import { Plot } from "./plot";
import { Side } from "./side";
import type { Boundary } from "./store";
import "./style.css";

const LEFT = 62;
const WIDE = 860; // from here on the legend stands beside the picture
const SIDE = 250;
const TALLEST = 520;

export interface Place {
  x: number;
  y: number;
}

export function View({ store, requests, connection }: ViewProps<Boundary>): JSX.Element {
  const info = useStore(store.info);
  const slice = useStore(store.slice);
  const settings = useStore(store.settings);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const error = useStore(store.error);
  const chosen = useStore(store.chosen);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<Place | null>(null);
  const [cursor, setCursor] = useState<Place | null>(null);

  const wide = width >= WIDE;
  const across = Math.max(0, Math.floor(width - LEFT - 8 - (wide ? SIDE + 20 : 0)));
  const height = Math.round(Math.min(TALLEST, Math.max(240, across * 0.72)));
  const [marks, outside] = useMemo(
    () => (slice && across > 0 ? marksOf(slice, across, height) : [[] as Mark[], 0]),
    [slice, across, height],
  );
  const busy = pending.some(({ name }) => name === "cut");
  const state: State = stateWith(link, busy ? "busy" : slice ? "ready" : "waiting");
  const mark = marks.find(({ row }) => row === chosen) ?? null;

  useRootData({
    state,
    x: slice?.x.name ?? "",
    y: slice?.y.name ?? "",
    hold: slice ? String(slice.hold) : "",
    points: marks.length,
    shown: settings.shown ?? "predicted",
    control: settings.control,
    chosen: chosen ?? "",
    ready: width > 0 && slice ? true : null,
  });

  if (!slice) {
    return (
      <Panel title={info.title} source={info.source} state={state} error={error}>
        <div ref={frame}>
          <Empty title="Waiting for the model's answers" />
        </div>
      </Panel>
    );
  }
  const step = (dx: number, dy: number) => {
    const from = cursor ?? { x: 0.5, y: 0.5 };
    const clip = (v: number) => Math.min(1, Math.max(0, v));
    const by = (n: number) => 1 / Math.min(40, n);
    setCursor({
      x: clip(from.x + dx * by(slice.x.values.length)),
      y: clip(from.y + dy * by(slice.y.values.length)),
    });
  };
  const onKey = keys({
    ArrowLeft: () => step(-1, 0),
    ArrowRight: () => step(1, 0),
    ArrowUp: () => step(0, 1),
    ArrowDown: () => step(0, -1),
    Enter: () => {
      const at = cursor && markAt(marks, cursor.x * across, (1 - cursor.y) * height);
      if (at) store.chosen.set(at.row);
    },
    Escape: () => {
      setCursor(null);
      store.chosen.set(null);
    },
  });
  const onPointer = (event: PointerEvent, x: number, y: number) => {
    const place = { x: x / across, y: 1 - y / height };
    const inside = place.x >= 0 && place.x <= 1 && place.y >= 0 && place.y <= 1;
    setPointed(inside ? place : null);
    if (event.type === "pointerdown" && inside) {
      const at = markAt(settings.points ? marks : [], x, y);
      store.chosen.set(at && at.row !== chosen ? at.row : null);
      if (!at) setCursor(place);
    }
  };

  return (
    <Panel
      title={info.title}
      source={info.source}
      state={state}
      status={heldText(info.features.length, slice.hold)}
      findings={findings}
      failures={failures}
      error={error}
      onDismiss={() => store.error.set(null)}
      controls={
        <Commands store={store} slice={slice} connected={link === "live"} pending={pending} />
      }
      foot={[
        `${plural(info.samples, "sample")} of ${plural(info.features.length, "feature")}`,
        info.drawn < info.samples - info.incomplete && `${plural(info.drawn, "sample")} drawn`,
        info.incomplete > 0 && `${info.incomplete} with NaN left out`,
        outside > 0 && `${plural(outside, "sample")} beyond the axes`,
        `${slice.x.values.length} × ${slice.y.values.length} cells asked`,
        info.output && `output read as ${info.output}`,
        slice.roughness
          ? `smoothness from ${slice.roughness.walks} walks near samples`
          : `smoothness not measured: ${slice.unmeasured}`,
      ]}
    >
      <div ref={frame} class={`db${wide ? " db-wide" : ""}`}>
        {across > 0 && (
          <>
            <Plot
              slice={slice}
              settings={settings}
              info={info}
              marks={marks}
              chosen={chosen}
              cursor={cursor}
              pointed={pointed}
              width={across}
              height={height}
              left={LEFT}
              onKey={onKey}
              onPointer={onPointer}
              onLeave={() => setPointed(null)}
            />
            <Side store={store} slice={slice} settings={settings} info={info} mark={mark} />
          </>
        )}
      </div>
    </Panel>
  );
}

function heldText(features: number, hold: "typical" | number): string {
  if (features === 2) return "both features";
  return hold === "typical" ? "others at their medians" : `others as in sample ${hold}`;
}
