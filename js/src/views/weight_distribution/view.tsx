import type { JSX } from "preact";
import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import {
  BAND,
  DecadeLines,
  Distribution,
  decodeHistograms,
  HealthyBand,
  HealthyKey,
  type LayersStore,
  Legend,
  LogAxis,
  measureNames,
  type Node,
  noteOf,
  OK,
  type Place,
  STATUS,
  Table,
  useNumbers,
  useTree,
} from "../../layers";
import {
  NoStep,
  PlaybackButtons,
  RunCommands,
  RunPanel,
  record,
  runFoot,
  usePlayback,
} from "../../run";
import {
  count,
  plural,
  Segmented,
  type State,
  stateWith,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import { Cells } from "./cells";
import { Detail } from "./detail";
import { axisText, drawTrends, factor, reachOf, startOf } from "./trend";

type Kind = "weight" | "gradient";

/** From this width on the histograms stand beside the layers. */
const BESIDE = 940;
const SHARE = 0.6;
const HEADING = 100;
const NORM = 62;
const FACTOR = 62;
const GAP = 14;

export function View({ store, requests, connection }: ViewProps<LayersStore>): JSX.Element {
  const info = useStore(store.info);
  const live = useStore(store.live);
  const history = useStore(store.history);
  const known = useStore(store.facts);
  const extra = useStore(store.extra);
  const link = useStore(connection.link);
  const [kind, setKind] = useState<Kind>("weight");
  const [chosen, setChosen] = useState<Node | null>(null);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const tree = useTree(info.layers);
  const playback = usePlayback(history);
  const { sample } = playback;
  const ratios = useNumbers(history, "update", [BAND.low, BAND.high]);
  const norms = useNumbers(history, "weight");
  const step = sample >= 0 ? (history.steps[sample] as number) : 0;
  const state: State = stateWith(link, live.state);

  const beside = width >= BESIDE;
  const table = beside ? Math.floor((width - 24) * SHARE) : width;
  const small = table < 620;
  const note = noteOf(info.layers);
  const names = measureNames(tree.rows, note, small ? 70 : HEADING, Math.max(90, table * 0.27));
  const numbers = FACTOR + GAP + (small ? 0 : NORM + GAP);
  const rest = Math.max(0, table - names.width - numbers - 2 * GAP);

  useRootData({
    state,
    step,
    samples: history.length,
    newest: history.length > 0 ? (history.steps[history.length - 1] as number) : 0,
    live: playback.live,
    ready: width > 0 ? true : null,
  });

  const open = (node: Node) => node.children.length > 0 && tree.isOpen(node);
  const trend = (node: Node) => {
    const cells = norms.of(node);
    return { cells, low: cells.low, high: cells.high, start: startOf(cells, history.length) };
  };
  const shown = tree.rows.filter((node) => !open(node)).map(trend);
  const reach = reachOf(shown);
  const paint = useCallback(
    (places: readonly Place[]) =>
      drawTrends(
        history,
        places.map(({ node, top, height }) => {
          const { cells, start } = trend(node);
          return { cells: open(node) ? null : cells, start, top, height };
        }),
        reach,
      ),
    [history, history.length, history.epoch, tree.rows, reach],
  );

  // What is shown beside: the row that was chosen, else the one the kernel proposes.
  const first = useMemo(() => readFirst(extra.first), [extra]);
  const proposed = info.layers.findIndex(({ parameters }) => parameters.includes(first.parameter));
  const last = useRef(-1);
  const leaf = chosen && chosen.children.length === 0 ? (chosen.layers[0] ?? -1) : -1;
  if (leaf >= 0) last.current = leaf;
  else if (!chosen) last.current = Math.max(0, proposed);
  const layer = info.layers[last.current];
  const selected =
    chosen ??
    tree.rows.find((node) => node.children.length === 0 && node.layers[0] === proposed) ??
    null;

  const empty = history.length === 0;
  const someClosed = tree.rows.some((node) => node.children.length > 0 && !open(node));
  const seen = new Set([...ratios.seen, ...norms.seen]);
  const since = count(history.steps[0] ?? 1);
  return (
    <RunPanel
      store={store}
      connection={connection}
      onSubject={(name) => setChosen(tree.reveal(name) ?? null)}
      knows={(name) => info.layers.some((one) => one.name === name)}
      note={info.note}
      controls={
        <>
          <PlaybackButtons playback={playback} samples={live.samples} />
          <RunCommands store={store} pending={requests.pending} connected={link === "live"} />
        </>
      }
      foot={runFoot(live, plural(info.layers.length, "layer"), "histograms at log-spaced steps")}
    >
      <div ref={frame} class={`wd${beside && !empty ? " wd-beside" : ""}`}>
        {empty ? (
          <NoStep ended={live.state === "done"} layers={info.layers.length} />
        ) : (
          <>
            <div class="wd-layers">
              <Table
                label={`Updates and norms of ${plural(info.layers.length, "layer")}, step ${count(step)}`}
                tree={tree}
                names={names}
                note={note}
                columns={`minmax(0, 1fr) ${small ? "" : `${NORM}px `}${FACTOR}px minmax(0, 1fr)`}
                heads={[
                  "Layer",
                  <>
                    {rest > 2 * 125 ? "Update ÷ weights" : "Update ratio"}{" "}
                    {rest > 2 * 190 && <small>step {count(step)}</small>}
                  </>,
                  ...(small
                    ? []
                    : [
                        <span key="norm" class="wd-right">
                          Norm
                        </span>,
                      ]),
                  <span
                    key="since"
                    class="wd-right"
                    title={`Norm of the weights over its value at step ${since}`}
                  >
                    <small>vs step {since}</small>
                  </span>,
                  <span
                    key="trend"
                    title={`Top and bottom of a row are ${factor(reach)} and ${factor(-reach)} of the norm at step ${since}, the same for all rows`}
                  >
                    Norm{" "}
                    <small>
                      {rest > 2 * 215 && "by step, "}
                      {axisText(reach, rest < 2 * 125)}
                    </small>
                  </span>,
                ]}
                feet={[
                  <LogAxis key="ratio" domain={ratios.domain} width={rest / 2} />,
                  ...(small ? [] : [null]),
                  null,
                ]}
                behind={
                  <>
                    <HealthyBand domain={ratios.domain} column={2} />
                    <DecadeLines domain={ratios.domain} width={rest / 2} column={2} />
                  </>
                }
                cells={(node) =>
                  open(node) ? null : (
                    <Cells
                      node={node}
                      ratio={ratios.of(node)}
                      norm={norms.of(node)}
                      start={trend(node).start}
                      sample={sample}
                      domain={ratios.domain}
                      small={small}
                    />
                  )
                }
                data={(node) => {
                  const own = open(node) ? null : norms.of(node);
                  const log = own?.log[sample] ?? Number.NaN;
                  return {
                    value: Number.isNaN(log) ? undefined : 10 ** log,
                    status: own ? STATUS[own.status[sample] ?? OK]?.text || "ok" : undefined,
                  };
                }}
                timeline={history}
                playback={playback}
                paint={paint}
                canvasLabel="Norm of the weights by layer and step, over its first value"
                canvasWidth={rest / 2}
                selected={selected}
                onSelect={setChosen}
                explain={(node, at, pointed) => (
                  <Detail
                    node={node}
                    sample={at}
                    step={pointed}
                    info={info}
                    history={history}
                    norm={norms.of(node)}
                    ratio={ratios.of(node)}
                    start={trend(node).start}
                  />
                )}
              />
              <Legend seen={seen}>
                <HealthyKey />
                {history.length > 1 && (
                  <li>
                    <i class="ly-key ly-key-range" /> lowest to highest over the run
                  </li>
                )}
                {someClosed && (
                  <li>
                    <i class="ly-key ly-key-ticks" /> closed group: the dot is the median, each tick
                    one layer
                  </li>
                )}
              </Legend>
            </div>
            {layer && (
              <Distribution
                requests={requests}
                layer={layer}
                kind={kind}
                version={known.histograms[kind]}
                step={step}
                height={beside ? Math.min(520, Math.max(300, tree.rows.length * 21)) : 260}
                given={
                  first.histograms && {
                    parameter: first.parameter,
                    histograms: first.histograms[kind],
                  }
                }
                connected={link === "live"}
              >
                <Segmented<Kind>
                  label="Histograms of"
                  value={kind}
                  options={[
                    { value: "weight", text: "Weights" },
                    { value: "gradient", text: "Gradients" },
                  ]}
                  onChange={setKind}
                />
              </Distribution>
            )}
          </>
        )}
      </div>
    </RunPanel>
  );
}

/** The histograms that came with the snapshot. */
function readFirst(value: unknown) {
  const first = record(value);
  const parameter = String(first.parameter ?? "");
  // In a reply its arrays lie in buffers that are gone by now: then it is asked for anew.
  const here = ArrayBuffer.isView(record(record(first.weight).steps).data);
  const histograms = here
    ? {
        weight: decodeHistograms(record(first.weight)),
        gradient: decodeHistograms(record(first.gradient)),
      }
    : null;
  return { parameter, histograms };
}
