import { useMemo, useState } from "preact/hooks";
import {
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
import { errorScale } from "./colours";
import { type Confusion, rankErrors } from "./confusion";
import { Gallery } from "./gallery";
import { Matrix, useMatrixLayout } from "./matrix";
import type { Shown } from "./matrix_paint";
import type { Ordering } from "./ordering";
import { Ranked } from "./ranked";
import type { Explorer, Settings } from "./store";
import type { Cell, Info } from "./types";
import { share } from "./words";
import "./style.css";
import "./gallery.css";

/** From this width on the gallery stands beside the matrix. */
const WIDE = 900;
const RANKED = 100;

const SHOWN: { value: Shown; text: string; title: string }[] = [
  { value: "counts", text: "Counts", title: "Samples in each cell" },
  { value: "share", text: "Row %", title: "Share of the samples of each true class" },
];
const ORDERINGS: { value: Ordering; text: string }[] = [
  { value: "label", text: "class label" },
  { value: "errors", text: "most errors" },
  { value: "confusion", text: "confused with each other" },
];

export function View({ store, connection, requests }: ViewProps<Explorer>) {
  const info = useStore(store.info);
  const matrix = useStore(store.matrix);
  const cell = useStore(store.cell);
  const settings = useStore(store.settings);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const error = useStore(store.error);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const overlays = useStore(store.overlays);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<Cell | null>(null);

  const wide = width >= WIDE;
  const room = wide ? Math.min(680, Math.floor(width * 0.48)) : width;
  const few = info.classes.length <= 20;
  const maxHeight = few ? 560 : 700;
  const placed = useMatrixLayout(matrix, info.classes, settings.ordering, room, maxHeight);
  const errors = useMemo(() => (matrix ? rankErrors(matrix, RANKED) : []), [matrix]);
  const state = stateWith(link, !matrix ? "waiting" : pending.length > 0 ? "busy" : "ready");
  useRootData({ ready: placed !== null, state });

  const open = (next: Cell) => store.open(next);
  const layer = overlays.layer ?? info.overlay.layer;
  return (
    <Panel
      title={info.title}
      source={info.source}
      state={state}
      status={<Accuracy info={info} />}
      {...{ findings, failures, error }}
      onDismiss={() => store.dismiss()}
      foot={[
        plural(info.samples, "sample"),
        info.output && `output read as ${info.output}`,
        info.nonfinite > 0 && `${plural(info.nonfinite, "output")} not finite`,
        info.overlay.available && layer && `Grad-CAM at ${layer}`,
        info.pictures.note,
      ]}
    >
      <div ref={frame} class={`ex-frame${wide ? " ex-wide" : ""}`}>
        {!matrix || info.classes.length === 0 ? (
          <Empty title="Waiting for predictions" />
        ) : (
          placed && (
            <>
              <div
                class="ex-left"
                style={wide ? { width: `${leftWidth(placed.layout.width)}px` } : {}}
              >
                <MatrixControls settings={settings} onChange={(s) => store.change(s)} />
                <div class="ex-both">
                  <div>
                    <Matrix
                      {...placed}
                      {...{ matrix, pointed }}
                      classes={info.classes}
                      shown={settings.shown}
                      opened={cell}
                      onOpen={open}
                      onClear={() => store.clear()}
                    />
                    <Legend matrix={matrix} shown={settings.shown} />
                  </div>
                  <Ranked
                    {...{ errors, matrix }}
                    complete={errors.length < RANKED}
                    classes={info.classes}
                    shown={settings.shown}
                    opened={cell}
                    onOpen={open}
                    onPoint={setPointed}
                  />
                </div>
              </div>
              <div class="ex-right">
                {cell ? (
                  <Gallery
                    key={cell.join(",")}
                    {...{ cell, matrix, info, pending }}
                    explorer={store}
                  />
                ) : (
                  <Empty
                    title="Click a cell to see its samples"
                    text="Coloured cells are errors; the grey diagonal is what was predicted correctly."
                  />
                )}
              </div>
            </>
          )
        )}
      </div>
    </Panel>
  );
}

/** Room for the list of confusions even under a small matrix. */
function leftWidth(matrixWidth: number): number {
  return Math.max(360, matrixWidth);
}

function Accuracy({ info: { accuracy } }: { info: Info }) {
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
  onChange: (settings: Partial<Settings>) => void;
}

function MatrixControls({ settings, onChange }: ControlsProps) {
  return (
    <div class="nbd-controls">
      <Segmented
        label="Numbers shown"
        value={settings.shown}
        options={SHOWN}
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
