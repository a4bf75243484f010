import { between, share } from "../../slices";
import {
  Empty,
  keys,
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
import { Detail } from "./detail";
import { Pairs } from "./pairs";
import { Rows } from "./rows";
import type { SliceStore } from "./store";
import { OverTime } from "./time";
import type { Info, Tab } from "./types";
import "./style.css";

/** From this width on the chosen slice stands beside the list. */
const WIDE = 900;

export function View({ store, connection, requests }: ViewProps<SliceStore>) {
  const info = useStore(store.info);
  const listing = useStore(store.listing);
  const timeline = useStore(store.timeline);
  const pair = useStore(store.pair);
  const chosen = useStore(store.chosen);
  const detail = useStore(store.detail);
  const tab = useStore(store.tab);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const error = useStore(store.error);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const state = stateWith(link, pending.length > 0 ? "busy" : "ready");
  useRootData({ ready: width > 0 ? true : null, state, tab, selected: detail?.selected ?? null });

  const tabs: { value: Tab; text: string }[] = [{ value: "slices", text: "Slices" }];
  if (info.pairs.length > 0) tabs.push({ value: "pairs", text: "Pairs" });
  if (timeline) tabs.push({ value: "time", text: "Over time" });
  const show = (title: string) => {
    const row = store.find(title);
    if (row) store.choose(row);
  };
  return (
    <Panel
      title={info.title}
      state={state}
      status={<Overall info={info} />}
      {...{ findings, failures, error }}
      onSubject={show}
      knows={(title) => store.find(title) !== undefined}
      onDismiss={() => store.error.set(null)}
      foot={[
        plural(info.counted, "sample"),
        info.counted < info.samples && `of ${info.samples.toLocaleString("en")}, those that count`,
        `${plural(info.tested, "slice")} tested, Holm's correction for all of them`,
        `at least ${info.min_support} samples`,
        info.nonfinite > 0 && `${plural(info.nonfinite, "answer")} not finite, counted as wrong`,
        ...info.skipped.map(([name, why]) => `${name} left out: ${why}`),
      ]}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape clears wherever the focus is */}
      <div
        ref={frame}
        class={`se-frame${width >= WIDE ? " se-wide" : ""}`}
        onKeyDown={keys({ Escape: () => store.choose(null) })}
      >
        <div class="se-main">
          <div class="nbd-controls">
            {tabs.length > 1 && (
              <Segmented
                label="View"
                value={tab}
                options={tabs}
                onChange={(next) => store.tab.set(next)}
              />
            )}
            {tab === "slices" && (
              <Select
                label="Column"
                value={listing.column}
                options={[
                  { value: "", text: "all, worst first" },
                  ...info.columns.map(({ name }) => ({ value: name, text: name })),
                ]}
                onChange={(name) => void store.column(name)}
              />
            )}
            {info.metrics.length > 1 && (
              <Select
                label="Rate"
                value={info.metric.value}
                options={info.metrics.map((value) => ({ value, text: metricText(value) }))}
                onChange={(metric) => void store.measure(metric)}
              />
            )}
          </div>
          {tab === "slices" &&
            (listing.rows.length > 0 ? (
              <Rows {...{ listing, info, chosen }} onChoose={(row) => store.choose(row)} />
            ) : (
              <Empty title="No slices" />
            ))}
          {tab === "pairs" && (
            <Pairs
              {...{ info, pair, chosen }}
              prefer={store.weakPair()}
              onPair={(columns) => void store.crossed(columns)}
              onChoose={(row) => store.choose(row)}
            />
          )}
          {tab === "time" && timeline && (
            <OverTime
              {...{ info, chosen }}
              line={timeline}
              onColumn={(column) => void store.time(column)}
              onChoose={(row) => store.choose(row)}
            />
          )}
        </div>
        <div class="se-side">
          <Detail row={chosen} {...{ detail, info, pending }} onClear={() => store.choose(null)} />
        </div>
      </div>
    </Panel>
  );
}

function metricText(value: string): string {
  const [kind, name] = value.split(/:(.*)/s);
  if (kind === "recall") return `missed: ${name}`;
  if (kind === "precision") return `falsely taken for ${name}`;
  return "wrong";
}

function Overall({ info: { overall, metric } }: { info: Info }) {
  if (overall.value === null) return null;
  return (
    <span title="95 % Wilson interval">
      {metric.name} <b class="se-overall">{share(overall.value)}</b> (
      {between(overall.low, overall.high)})
    </span>
  );
}
