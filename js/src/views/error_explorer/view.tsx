import { useEffect, useMemo, useState } from "preact/hooks";
import {
  Button,
  count,
  Empty,
  gradient,
  Panel,
  plural,
  Segmented,
  Select,
  stateWith,
  useRootData,
  useSize,
  useStore,
  useTheme,
  type ViewProps,
} from "../../ui";
import { changeColour, errorScale } from "./colours";
import { type Confusion, rankChanges, rankErrors } from "./confusion";
import { FilterBar } from "./filter";
import { Gallery } from "./gallery";
import type { Window } from "./layout";
import { Matrix, useMatrixLayout } from "./matrix";
import type { Shown } from "./matrix_paint";
import type { Ordering } from "./ordering";
import { Ranked } from "./ranked";
import { Start } from "./start";
import type { Explorer, Settings } from "./store";
import { type Cell, type Counted, isCell, type Place, placeKey } from "./types";
import { share } from "./words";
import { whole, ZOOM_FROM, zoomBy } from "./zoom";
import "./style.css";
import "./gallery.css";
import "./start.css";

/** From this width on the gallery stands beside the matrix. */
const WIDE = 900;
const RANKED = 100;

const SHOWN: { value: Shown; text: string; title: string }[] = [
  { value: "counts", text: "Counts", title: "Samples in each cell" },
  { value: "share", text: "Row %", title: "Share of the samples of each true class" },
];
const CHANGE: (typeof SHOWN)[number] = {
  value: "change",
  text: "Change",
  title: "Samples more or fewer than with the baseline",
};
const ORDERINGS: { value: Ordering; text: string }[] = [
  { value: "label", text: "class label" },
  { value: "errors", text: "most errors" },
  { value: "confusion", text: "confused with each other" },
];

export function View({ store, connection, requests }: ViewProps<Explorer>) {
  const info = useStore(store.info);
  const counted = useStore(store.counted);
  const matrix = useStore(store.matrix);
  const place = useStore(store.place);
  const settings = useStore(store.settings);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const error = useStore(store.error);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const overlays = useStore(store.overlays);
  const lists = useStore(store.lists);
  const facets = useStore(store.facets);
  const filter = useStore(store.filter);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<Cell | null>(null);
  const [part, setPart] = useState<Window | null>(null);

  const wide = width >= WIDE;
  const room = wide ? Math.min(680, Math.floor(width * 0.48)) : width;
  const classes = info.classes.length;
  const maxHeight = classes <= 20 ? 560 : 700;
  const { shown, ordering } = settings;
  const placed = useMatrixLayout(matrix, info.classes, ordering, room, maxHeight, part);
  // In another order a part of the matrix holds other classes.
  useEffect(() => setPart(null), [ordering, classes]);
  const errors = useMemo(() => {
    if (!matrix) return [];
    return shown === "change" ? rankChanges(matrix, RANKED) : rankErrors(matrix, RANKED);
  }, [matrix, shown === "change"]);
  const state = stateWith(link, !matrix ? "waiting" : pending.length > 0 ? "busy" : "ready");
  useRootData({ ready: placed !== null, state });

  const open = (next: Place) => store.open(next);
  const subjects = useMemo(() => placesOf(findings, store), [findings, lists]);
  const cell = isCell(place) ? place : null;
  const layer = overlays.layer ?? info.overlay.layer;
  return (
    <Panel
      title={info.title}
      source={info.source}
      state={state}
      status={<Accuracy counted={counted} />}
      {...{ findings, failures, error }}
      onSubject={(subject) => {
        const found = subjects.get(subject);
        if (found !== undefined) open(found);
      }}
      knows={(subject) => subjects.has(subject)}
      onDismiss={() => store.dismiss()}
      foot={[
        plural(info.samples, "sample"),
        info.output && `output read as ${info.output}`,
        info.nonfinite > 0 && `${plural(info.nonfinite, "output")} not finite`,
        info.overlay.available && layer && `Grad-CAM at ${layer}`,
        info.pictures.note,
      ]}
    >
      {info.baseline && (
        <p class="ex-compared">
          <b>{info.baseline.sentence}</b> {info.baseline.numbers}
        </p>
      )}
      <FilterBar explorer={store} {...{ info, counted, facets, filter }} />
      <div ref={frame} class={`ex-frame${wide ? " ex-wide" : ""}`}>
        {!matrix || classes === 0 ? (
          <Empty title="Waiting for predictions" />
        ) : (
          placed && (
            <>
              <div
                class="ex-left"
                style={wide ? { width: `${leftWidth(placed.layout.width)}px` } : {}}
              >
                <MatrixControls
                  settings={settings}
                  compared={matrix.change !== null}
                  onChange={(s) => store.change(s)}
                />
                <div class="ex-both">
                  <div>
                    <Matrix
                      {...placed}
                      {...{ matrix, pointed, shown }}
                      classes={info.classes}
                      opened={cell}
                      onOpen={open}
                      onClear={() => store.clear()}
                      onView={classes >= ZOOM_FROM ? setPart : null}
                    />
                    {classes >= ZOOM_FROM && (
                      <Zoom view={placed.layout.view} classes={classes} onView={setPart} />
                    )}
                    <Legend matrix={matrix} shown={shown} />
                  </div>
                  <Ranked
                    {...{ errors, matrix, shown }}
                    complete={errors.length < RANKED}
                    classes={info.classes}
                    opened={cell}
                    onOpen={open}
                    onPoint={setPointed}
                  />
                </div>
              </div>
              <div class="ex-right">
                {place !== null ? (
                  <Gallery
                    key={`${placeKey(place)} ${JSON.stringify(filter)}`}
                    {...{ place, matrix, info, pending }}
                    explorer={store}
                  />
                ) : (
                  <Start {...{ info, lists, shown }} explorer={store} busy={pending.length > 0} />
                )}
              </div>
            </>
          )
        )}
      </div>
    </Panel>
  );
}

/** What "Show" beside a finding opens. */
function placesOf(
  findings: readonly { code: string; subject: string; evidence: Record<string, unknown> }[],
  store: Explorer,
): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { code, subject, evidence } of findings) {
    const [t, p] = [evidence.true, evidence.predicted];
    const number = store.info.value.classes.indexOf(subject);
    const list = CODE_LISTS[code];
    if (typeof t === "number" && typeof p === "number") places.set(subject, [t, p]);
    else if (code === "class.weak" && number >= 0) places.set(subject, `true:${number}`);
    else if (list && (store.size(list) ?? 0) > 0) places.set(subject, list);
  }
  return places;
}

const CODE_LISTS: Record<string, string> = {
  "label.suspect": "suspects",
  "errors.confident": "errors",
  "cam.off_object": "off_object",
};

interface ZoomProps {
  view: Window;
  classes: number;
  onView: (view: Window | null) => void;
}

/** A hundred classes and more: a part of the matrix, large enough to read. */
function Zoom({ view, classes, onView }: ZoomProps) {
  const all = view.span === classes;
  return (
    <div class="ex-zoom">
      <Button
        label="Look nearer (+, or Ctrl and the wheel)"
        onClick={() => onView(zoomBy(view, classes, 0.5))}
      >
        +
      </Button>
      <Button
        label="Look from farther away (−)"
        disabled={all}
        onClick={() => onView(zoomBy(view, classes, 2))}
      >
        −
      </Button>
      {all ? (
        <span class="nbd-muted">+ or Ctrl and the wheel look nearer</span>
      ) : (
        <>
          <button type="button" class="nbd-link" onClick={() => onView(whole(classes))}>
            All classes
          </button>
          <span class="nbd-muted">
            {count(view.span)} of {count(classes)} classes; drag to move
          </span>
        </>
      )}
    </div>
  );
}

/** Room for the list of confusions even under a small matrix. */
function leftWidth(matrixWidth: number): number {
  return Math.max(360, matrixWidth);
}

function Accuracy({ counted: { accuracy } }: { counted: Counted }) {
  if (!accuracy) return null;
  const { value, low, high } = accuracy;
  return (
    <span title="95 % Wilson interval">
      accuracy <b class="ex-accuracy">{share(value)}</b> ({share(low, false)} to {share(high)})
    </span>
  );
}

interface ControlsProps {
  settings: Settings;
  /** Whether there is a baseline. */
  compared: boolean;
  onChange: (settings: Partial<Settings>) => void;
}

function MatrixControls({ settings, compared, onChange }: ControlsProps) {
  return (
    <div class="nbd-controls">
      <Segmented
        label="Numbers shown"
        value={settings.shown}
        options={compared ? [CHANGE, ...SHOWN] : SHOWN}
        onChange={(shown) => onChange({ shown })}
      />
      <Select
        label="Order by"
        value={settings.ordering}
        options={ORDERINGS}
        onChange={(ordering) => onChange({ ordering })}
      />
    </div>
  );
}

function Legend({ matrix, shown }: { matrix: Confusion; shown: Shown }) {
  const theme = useTheme();
  if (shown === "change") {
    const most = count(matrix.largestChange);
    return (
      <p class="ex-legend nbd-muted">
        {matrix.largestChange === 0 ? (
          "no cell changed"
        ) : (
          <>
            better by {most}
            <span
              class="ex-ramp"
              style={{ background: gradient((at) => changeColour(1.8 * (at - 0.5))) }}
            />
            worse by {most} samples
          </>
        )}
      </p>
    );
  }
  const most = shown === "counts" ? count(matrix.largestError) : share(matrix.largestErrorShare);
  return (
    <p class="ex-legend nbd-muted">
      <span class="ex-swatch" /> correct
      {matrix.largestError > 0 && (
        <>
          <span class="ex-ramp" style={{ background: gradient(errorScale(theme)) }} />
          errors, up to {most} {shown === "counts" ? "in a cell" : "of a row"}
        </>
      )}
    </p>
  );
}
