import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import {
  BAND,
  DecadeLines,
  Distribution,
  drawHeatmap,
  HealthyBand,
  HealthyKey,
  type LayersStore,
  Legend,
  LogAxis,
  type Metric,
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
import { NoStep, RunPanel, runFoot, usePlayback, useReply } from "../../run";
import {
  count,
  gradient,
  percent,
  plural,
  type State,
  sequential,
  stateWith,
  useRootData,
  useSize,
  useStore,
  useTheme,
  type ViewProps,
} from "../../ui";
import { type Bytes, decodeAs } from "../../wire";
import { Cells } from "./cells";
import { clippingText, rawLog, rawTop } from "./clipping";
import { Commands } from "./commands";
import { Detail } from "./detail";
import { wordsOf } from "./metrics";

const HEADING = 136; // "Layer input → output"
const NUMBERS = 70;
const GAP = 14;

export function View({ store, requests, connection }: ViewProps<LayersStore>): JSX.Element {
  const info = useStore(store.info);
  const live = useStore(store.live);
  const history = useStore(store.history);
  const known = useStore(store.facts);
  const link = useStore(connection.link);
  const theme = useTheme();
  const [metric, setMetric] = useState<Metric>("norm");
  const [selected, setSelected] = useState<Node | null>(null);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const tree = useTree(info.layers);
  const playback = usePlayback(history);
  const { sample } = playback;
  const clips = metric === "norm" && known.clipping.clipped > 0;
  const top = clips && sample >= 0 ? rawTop(history, sample) : Number.NaN;
  const within =
    metric === "update" ? ([BAND.low, BAND.high] as const) : ([Number.NaN, top] as const);
  const { domain, seen, of } = useNumbers(history, metric, within);
  const scale = sequential(theme);
  const step = sample >= 0 ? (history.steps[sample] as number) : 0;
  const state: State = stateWith(link, live.state);
  const words = wordsOf(metric);

  const small = width < 620;
  const note = noteOf(info.layers);
  const most = Math.max(90, width * (small ? 0.27 : 0.25));
  const names = measureNames(tree.rows, note, small ? 80 : HEADING, most);
  const rest = Math.max(0, width - names.width - (small ? 2 * GAP : NUMBERS + 3 * GAP));

  useRootData({
    state,
    step,
    samples: history.length,
    newest: history.length > 0 ? (history.steps[history.length - 1] as number) : 0,
    live: playback.live,
    ready: width > 0 ? true : null,
  });

  const series = (node: Node) => (node.children.length > 0 && tree.isOpen(node) ? null : of(node));
  const paint = useCallback(
    (places: readonly Place[]) =>
      drawHeatmap(
        history,
        places.map(({ node, ...place }) => ({ ...place, series: series(node) })),
        domain,
      ),
    [history, history.length, history.epoch, metric, tree.rows, domain.low, domain.high],
  );

  const leaf = selected && selected.children.length === 0 ? (selected.layers[0] ?? null) : null;
  const zeros = useReply({
    requests,
    name: "layer",
    args: leaf !== null && link === "live" ? { layer: leaf } : null,
    version: known.histograms.gradient,
    read: readZeros,
  });
  const empty = history.length === 0;
  const someClosed = tree.rows.some((node) => node.children.length > 0 && !tree.isOpen(node));
  const explain = (node: Node, at: number, pointed?: number, wide = false) => (
    <Detail
      node={node}
      sample={at}
      step={pointed}
      info={info}
      series={of(node)}
      history={history}
      metric={metric}
      more={wide && zeros.value ? zerosText(zeros.value, step) : null}
      wide={wide}
    />
  );
  const chosen = leaf === null ? undefined : info.layers[leaf];
  return (
    <RunPanel
      store={store}
      connection={connection}
      onSubject={(name) => setSelected(tree.reveal(name) ?? null)}
      knows={(name) => info.layers.some((layer) => layer.name === name)}
      note={info.note}
      controls={
        <Commands
          store={store}
          pending={requests.pending}
          connected={link === "live"}
          playback={playback}
          metric={metric}
          onMetric={setMetric}
        />
      }
      foot={runFoot(live, plural(info.layers.length, "layer"), clippingText(known.clipping))}
    >
      <div ref={frame} class={`gf${small ? " gf-small" : ""}`}>
        {empty ? (
          <NoStep ended={live.state === "done"} layers={info.layers.length} />
        ) : (
          <Table
            label={`${words.head} of ${plural(info.layers.length, "layer")}, step ${count(step)}`}
            tree={tree}
            names={names}
            note={note}
            columns={`${small ? "" : `${NUMBERS}px `}minmax(0, 45fr) minmax(0, 55fr)`}
            heads={[
              <>
                Layer <small>{small ? "" : "input → output"}</small>
              </>,
              ...(small ? [] : [null]),
              <>
                {words.head} {!small && <small>at step {count(step)}</small>}
              </>,
              <>
                History <small>{small ? `step ${count(step)}` : "same colours, by step"}</small>
              </>,
            ]}
            feet={[
              ...(small ? [] : [null]),
              <LogAxis key="values" domain={domain} width={rest * 0.45} strip={gradient(scale)} />,
            ]}
            behind={
              <>
                {metric === "update" && <HealthyBand domain={domain} column={-3} />}
                <DecadeLines domain={domain} width={rest * 0.45} column={-3} />
              </>
            }
            cells={(node) => {
              const own = series(node);
              return own ? (
                <Cells
                  node={node}
                  series={own}
                  raw={clips ? rawLog(history, node, sample) : Number.NaN}
                  sample={sample}
                  domain={domain}
                  scale={scale}
                />
              ) : null;
            }}
            data={(node) => {
              const own = series(node);
              const log = own?.log[sample] ?? Number.NaN;
              const status = STATUS[own?.status[sample] ?? OK]?.text || "ok";
              return {
                value: Number.isNaN(log) ? undefined : 10 ** log,
                status: own ? status : undefined,
              };
            }}
            timeline={history}
            playback={playback}
            paint={paint}
            canvasLabel={`${words.head} by layer and step`}
            canvasWidth={rest * 0.55}
            selected={selected}
            onSelect={setSelected}
            explain={explain}
          />
        )}
        {!empty && (
          <Legend seen={seen}>
            {history.length > 1 && (
              <li>
                <i class="ly-key ly-key-range" /> lowest to highest over the run
              </li>
            )}
            {clips && (
              <>
                <li>
                  <i class="ly-key gf-key-after" /> after clipping: what the optimizer uses
                </li>
                <li>
                  <i class="ly-key gf-key-before" /> before clipping
                </li>
              </>
            )}
            {metric === "update" && <HealthyKey />}
            {someClosed && (
              <li>
                <i class="ly-key ly-key-ticks" /> closed group: the bar is the median, each tick one
                layer
              </li>
            )}
          </Legend>
        )}
        {selected && !empty && (
          <p class="ly-detail">{explain(selected, sample, undefined, true)}</p>
        )}
        {chosen && !empty && (
          <Distribution
            requests={requests}
            layer={chosen}
            kind="gradient"
            version={known.histograms.gradient}
            step={step}
            height={230}
            connected={link === "live"}
          />
        )}
      </div>
    </RunPanel>
  );
}

interface Zeros {
  steps: Float64Array;
  zeros: Float32Array;
  nonfinite: Float32Array;
}

function readZeros(value: Record<string, unknown>, buffers: readonly Bytes[]): Zeros {
  return {
    steps: decodeAs(value.steps, "float64", buffers).data,
    zeros: decodeAs(value.zeros, "float32", buffers).data,
    nonfinite: decodeAs(value.nonfinite, "float32", buffers).data,
  };
}

/** Share of zeros and number of broken entries at or before a step. */
function zerosText({ steps, zeros, nonfinite }: Zeros, step: number): string | null {
  let at = -1;
  for (let i = 0; i < steps.length && (steps[i] as number) <= step; i++) at = i;
  if (at < 0) return null;
  const when = steps[at] === step ? "" : ` (step ${count(steps[at] as number)})`;
  const broken = nonfinite[at] as number;
  const text = `${percent(zeros[at] as number)} of the gradient exactly zero${when}`;
  return broken > 0 ? `${text}, ${count(broken)} entries NaN or infinite` : text;
}
