import { useState } from "preact/hooks";
import {
  count,
  Empty,
  number,
  Panel,
  plural,
  Segmented,
  Select,
  stateWith,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import { same } from "./curves";
import { Diagram } from "./diagram";
import { useGlide } from "./glide";
import { Numbers } from "./numbers";
import type { CalibrationStore, Info, Settings, Strategy } from "./store";
import { Temperature } from "./temperature";
import "./style.css";

/** From this width on the words stand beside the diagram. */
const WIDE = 860;
const WIDEST = 640;
const BINS = [5, 10, 15, 20, 30, 50];
const STRATEGIES: { value: Strategy; text: string; title: string }[] = [
  { value: "equal_width", text: "Equal width", title: "Bins of the same width from 0 to 100 %" },
  { value: "equal_mass", text: "Equal mass", title: "As many samples in each bin" },
];

export function View({ store, connection, requests }: ViewProps<CalibrationStore>) {
  const info = useStore(store.info);
  const settings = useStore(store.settings);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const error = useStore(store.error);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const curves = useStore(store.curves);
  const at = useStore(store.at);
  const moving = useStore(store.moving);
  const picked = useStore(store.picked);
  useStore(store.exact);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);

  const target = store.shown;
  const curve = useGlide(target, moving);
  const before = same(at, 1) ? null : store.asItIs;
  const wide = width >= WIDE;
  const room = Math.min(WIDEST, wide ? Math.floor(width * 0.54) : width);
  const busy = pending.some((request) => request.name !== "temperature");
  const state = stateWith(link, target === null ? "waiting" : busy ? "busy" : "ready");
  useRootData({
    ready: target !== null && width > 0,
    state,
    temperature: number(at, 6),
    exact: !store.rough && !moving,
    bins: target?.counts.length ?? 0,
  });
  const top = settings.of < 0;
  const full = curve?.counts.length ?? 0;
  const valid = (bin: number | null) =>
    bin !== null && (curve?.counts[bin] ?? 0) > 0 ? bin : null;
  return (
    <Panel
      title={info.title}
      source={info.source}
      state={state}
      status={
        target && (
          <span>
            ECE <b class="cal-ece">{number(target.numbers.ece ?? Number.NaN)}</b>
            {before && ` at temperature ${number(at)}`}
          </span>
        )
      }
      {...{ findings, failures, error }}
      onDismiss={() => store.dismiss()}
      foot={[
        plural(info.samples, "sample"),
        info.nonfinite > 0 && `${plural(info.nonfinite, "output")} not finite, left out`,
        info.output && `output read as ${info.output}`,
        full > 0 && `${full} bins, 95 % Wilson intervals`,
        store.rows !== null &&
          `while the slider moves: from ${count(store.rows)} samples; all of them once it rests`,
        info.note,
      ]}
    >
      <div ref={frame} class={`cal-frame${wide ? " cal-wide" : ""}`}>
        {target === null && <Empty title="Waiting for predictions" />}
        {target && curve && width > 0 && (
          <>
            <div class="cal-left" style={{ width: `${room}px` }}>
              <Diagram
                width={room}
                {...{ curve, top }}
                ghost={before}
                x={settings.x}
                y={settings.y}
                pointed={valid(pointed)}
                picked={valid(picked?.bin ?? null)}
                onPoint={(bin) => setPointed(bin !== null && bin < 0 ? null : bin)}
                onPick={(bin) => {
                  if (bin !== null || picked) void store.pick(bin);
                }}
              />
              {picked && picked.samples !== null && (
                <p class="cal-picked nbd-muted" role="status">
                  {plural(picked.samples, "sample")} of this bin in <code>.selection</code>
                </p>
              )}
            </div>
            <div class="cal-right">
              <Controls {...{ info, settings }} onChange={(change) => void store.choose(change)} />
              <div class="cal-words" aria-live="polite">
                {target.words.map((sentence, i) => (
                  <p key={sentence} class={i === 0 ? "cal-headline" : ""}>
                    {sentence}
                  </p>
                ))}
              </div>
              <Temperature {...{ info, curves, at }} onMove={(value) => store.move(value)} />
              <p class={info.in_sample ? "cal-advice cal-in-sample" : "cal-advice"}>
                {info.advice}
              </p>
              <Numbers now={target} {...{ before }} />
            </div>
          </>
        )}
      </div>
    </Panel>
  );
}

interface ControlsProps {
  info: Info;
  settings: Settings;
  onChange: (change: Partial<Settings>) => void;
}

function Controls({ info, settings, onChange }: ControlsProps) {
  const classes = info.classes.map((name, value) => ({ value, text: `class ${name}` }));
  const bins = BINS.includes(settings.bins) ? BINS : [...BINS, settings.bins].sort((a, b) => a - b);
  return (
    <div class="nbd-controls">
      <Select
        label="Diagram of"
        value={settings.of}
        options={[{ value: -1, text: "the predicted class" }, ...classes]}
        onChange={(of) => onChange({ of })}
      />
      <Segmented
        label="Bins"
        value={settings.strategy}
        options={STRATEGIES}
        onChange={(strategy) => onChange({ strategy })}
      />
      <Select
        label="Bins"
        value={settings.bins}
        options={bins.map((value) => ({ value, text: String(value) }))}
        onChange={(value) => onChange({ bins: value })}
      />
    </div>
  );
}
