import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import {
  type Domain,
  drawHeatmap,
  Legend,
  measureNames,
  type Node,
  OK,
  type Place,
  type Scales,
  STATUS,
  Table,
  useTree,
} from "../../layers";
import { PlaybackButtons, RunCommands, RunPanel, runFoot, usePlayback, useReply } from "../../run";
import {
  count,
  diverging,
  Empty,
  gradient,
  number,
  plural,
  type RGB,
  type Scale,
  Segmented,
  type State,
  sequential,
  stateWith,
  type Theme,
  useRootData,
  useSize,
  useStore,
  useTheme,
  type ViewProps,
} from "../../ui";
import { countsOf, RowCells, sentences } from "./cells";
import { Explain } from "./explain";
import { type Measure, meanReach, numbersAt, seriesOf } from "./series";
import type { ActivationStore } from "./store";
import { UnitMap } from "./unit_map";
import { decodeUnits, STATES, WORDS } from "./units";

const HEADING = 110;
const WORDS_WIDTH = 168;
const NUMBER = 68;
const MEAN = 104;
const GAP = 14;
const AROUND_ZERO: Scales = { light: diverging(), dark: diverging() };
/** None at all is quiet: what is healthy must not shine. */
const QUIET: Record<Theme, RGB> = { light: [236, 239, 242], dark: [42, 45, 50] };
const fromNone = (theme: Theme): Scale => {
  const scale = sequential(theme);
  return (share) => (share > 0 ? scale(share) : QUIET[theme]);
};
const FROM_NONE: Scales = { light: fromNone("light"), dark: fromNone("dark") };

const MEASURES: Record<Measure, { text: string; head: string; title: string }> = {
  off: {
    text: "Idle units",
    head: "Units idle or stuck",
    title:
      "Share of units never active in a block of steps; of a bounded activation, of units stuck at an end",
  },
  zeros: {
    text: "Zeros",
    head: "Share of zeros",
    title: "Share of values that are exactly zero; many are healthy",
  },
  saturated: {
    text: "Saturation",
    head: "Share at an end",
    title: "Share of values at an end of a bounded activation",
  },
  mean: { text: "Mean", head: "Mean", title: "Mean of all values" },
};

export function View({ store, requests, connection }: ViewProps<ActivationStore>): JSX.Element {
  const info = useStore(store.info);
  const live = useStore(store.live);
  const looks = useStore(store.looks);
  const summary = useStore(store.summary);
  const link = useStore(connection.link);
  const theme = useTheme();
  const [measure, setMeasure] = useState<Measure>("off");
  const [selected, setSelected] = useState<Node | null>(null);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const tree = useTree(info.layers);
  const playback = usePlayback(looks);
  const { sample } = playback;
  const step = sample >= 0 ? (looks.steps[sample] as number) : 0;
  const state: State = stateWith(link, live.state);

  const small = width < 760;
  const note = (node: Node) => {
    const only = info.layers[node.layers[0] ?? 0];
    return node.children.length > 0
      ? plural(node.layers.length, "layer")
      : `${only?.kind} ${count(only?.units ?? 0)}`;
  };
  const most = Math.max(90, width * (small ? 0.28 : 0.22));
  const names = measureNames(tree.rows, note, small ? 80 : HEADING, most);
  const fixed = (small ? 74 : WORDS_WIDTH + 2 * NUMBER + MEAN + 3 * GAP) + 3 * GAP;
  const rest = Math.max(0, width - names.width - fixed);

  useRootData({
    state,
    step,
    samples: looks.length,
    newest: looks.length > 0 ? (looks.steps[looks.length - 1] as number) : 0,
    live: playback.live,
    ready: width > 0 ? true : null,
  });

  const open = (node: Node) => node.children.length > 0 && tree.isOpen(node);
  const members = (node: Node) => node.layers.flatMap((i) => info.layers[i] ?? []);
  const reach = measure === "mean" ? meanReach(looks) : 1;
  const domain: Domain = { low: measure === "mean" ? -reach : 0, high: reach };
  const paint = useCallback(
    (places: readonly Place[]) =>
      drawHeatmap(
        looks,
        places.map(({ node, top, height }) => ({
          series: open(node) ? null : seriesOf(looks, summary, measure, node.layers),
          top,
          height,
        })),
        domain,
        measure === "mean" ? AROUND_ZERO : FROM_NONE,
      ),
    [looks, looks.length, looks.epoch, summary, measure, tree.rows, reach],
  );

  const leaf = selected && selected.children.length === 0 ? (selected.layers[0] ?? null) : null;
  const version = summary && leaf !== null ? (summary.seen[leaf] as number) : 0;
  const units = useReply({
    requests,
    name: "units",
    args: leaf !== null && link === "live" ? { track: leaf } : null,
    version,
    read: decodeUnits,
  });
  const chosen = leaf === null ? undefined : info.layers[leaf];
  const counts = summary ? countsOf(summary, Array.from(info.layers.keys())) : [];
  const empty = looks.length === 0;
  const ramp = gradient((measure === "mean" ? AROUND_ZERO : FROM_NONE)[theme]);
  const ends = measure === "mean" ? [number(-reach, 2), number(reach, 2)] : ["0 %", "100 %"];
  const inputs = summary ? [...new Set(summary.seen)] : [];
  return (
    <RunPanel
      store={store}
      connection={connection}
      onSubject={(name) => setSelected(tree.reveal(name) ?? null)}
      knows={(name) => info.layers.some((one) => one.name === name)}
      note={empty ? null : info.notes.join(" ")}
      controls={
        <>
          <PlaybackButtons playback={playback} samples={looks.length} />
          <Segmented<Measure>
            label="What the history shows"
            value={measure}
            options={Object.entries(MEASURES).map(([value, { text, title }]) => ({
              value: value as Measure,
              text,
              title,
            }))}
            onChange={setMeasure}
          />
          <RunCommands store={store} pending={requests.pending} connected={link === "live"} />
        </>
      }
      foot={runFoot(
        live,
        plural(info.layers.length, "activation"),
        `${plural(looks.length, "look")} at them`,
      )}
    >
      <div
        ref={frame}
        class={`as${small ? " as-small" : ""}`}
        style={{ "--as-ramp": gradient(sequential(theme)) }}
      >
        {empty ? (
          <Empty {...nothing(live.step, live.state, info.notes)} />
        ) : (
          <Table
            label={`Units of ${plural(info.layers.length, "activation")}, step ${count(step)}`}
            tree={tree}
            names={names}
            note={note}
            columns={
              small
                ? "minmax(0, 1fr) 74px minmax(0, 1fr)"
                : `minmax(0, 40fr) ${WORDS_WIDTH}px ${NUMBER}px ${NUMBER}px ${MEAN}px minmax(0, 60fr)`
            }
            heads={[
              <>
                Activation <small>{names.width < 170 ? "" : "input → output"}</small>
              </>,
              <>
                Units{" "}
                {!small && (
                  <small>
                    {inputs.length === 1
                      ? `in ${count(inputs[0] ?? 0)} inputs`
                      : "in all inputs seen"}
                  </small>
                )}
              </>,
              null,
              ...(small
                ? []
                : [
                    <span key="zeros" class="as-right">
                      Zeros
                    </span>,
                    <span
                      key="ends"
                      class="as-right"
                      title="Share of values within 1 % of an end of a bounded activation"
                    >
                      At end
                    </span>,
                    <span key="mean" class="as-right">
                      Mean <small>± sd</small>
                    </span>,
                  ]),
              <>
                {small ? MEASURES[measure].text : MEASURES[measure].head}{" "}
                <small>{small ? "" : "by step"}</small>
              </>,
            ]}
            feet={[
              <span key="all" class="as-foot">
                {small ? "" : "over all inputs"}
              </span>,
              null,
              ...(small
                ? []
                : [
                    null,
                    null,
                    <span key="step" class="as-foot as-right">
                      at step {count(step)}
                    </span>,
                  ]),
            ]}
            cells={(node) =>
              open(node) ? null : (
                <RowCells
                  node={node}
                  members={members(node)}
                  summary={summary}
                  looks={looks}
                  sample={sample}
                  small={small}
                />
              )
            }
            data={(node) => {
              if (open(node)) return {};
              const { status } = numbersAt(looks, sample, node.layers);
              return { status: status === OK ? "ok" : STATUS[status]?.text };
            }}
            timeline={looks}
            playback={playback}
            paint={paint}
            canvasLabel={`${MEASURES[measure].head} by layer and step`}
            canvasWidth={rest * (small ? 0.5 : 0.6)}
            selected={selected}
            onSelect={setSelected}
            explain={(node, at, pointed) => (
              <Explain
                node={node}
                members={members(node)}
                looks={looks}
                summary={summary}
                sample={at}
                step={pointed}
              />
            )}
          />
        )}
        {!empty && (
          <Legend seen={looks.marks}>
            {Array.from({ length: STATES }, (_, s) => s).map((s) =>
              counts[s] ? (
                <li key={s}>
                  <i class={`ly-key as-state as-state-${s}`} /> {WORDS[s]?.text}
                </li>
              ) : null,
            )}
            <li>
              {ends[0]} <i class="ly-key as-ramp" style={{ background: ramp }} /> {ends[1]}{" "}
              {MEASURES[measure].head.toLowerCase()}
            </li>
          </Legend>
        )}
        {chosen && !empty && selected && (
          <section class="as-detail" aria-label={`${chosen.word}s of ${chosen.name}`}>
            <p>
              <b>{chosen.name}</b> {chosen.kind} ·{" "}
              {sentences(selected, members(selected), summary).join(" · ")}
            </p>
            {units.value ? (
              <UnitMap key={leaf} units={units.value} activation={chosen} />
            ) : (
              <p class="ly-caption">
                {units.error ??
                  (link === "live"
                    ? "Asking for its units …"
                    : "Its units are in the kernel, and there is none to ask.")}
              </p>
            )}
          </section>
        )}
      </div>
    </RunPanel>
  );
}

/** Why there is no picture. */
function nothing(step: number, state: string, notes: readonly string[]) {
  if (step === 0) {
    return state === "done"
      ? { title: "The run ended without a step" }
      : {
          title: "Waiting for the first optimizer.step()",
          text: "The picture starts with the first training step that is sampled.",
        };
  }
  return {
    title: "No activation was seen",
    text:
      notes.join(" ") ||
      "Modules such as nn.ReLU are found, and functions such as F.relu in the graph of the output; this model ran none of them in training mode.",
  };
}
