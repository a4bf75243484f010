import type { JSX } from "preact";
import { useCallback, useEffect, useId, useState } from "preact/hooks";
import { runFoot, StepAxis, usePlayback } from "../../run";
import {
  Canvas,
  count,
  Empty,
  keys,
  Panel,
  plural,
  type State,
  sequential,
  stateWith,
  Tooltip,
  useReducedMotion,
  useRootData,
  useSize,
  useStore,
  useTheme,
  type ViewProps,
} from "../../ui";
import { Legend, ValueAxis } from "./axes";
import { axisOf } from "./columns";
import { Commands } from "./commands";
import { Detail } from "./detail";
import { drawHeatmap, type HeatRow } from "./heatmap";
import { useNumbers, useTree } from "./layout";
import { measure } from "./measure";
import { Row } from "./rows";
import type { Metric } from "./series";
import type { GradientStore } from "./store";
import type { Node } from "./tree";

const TALLEST = 600;
/** The heading and the axes, which stay in place while the rows scroll. */
const AXES = 71;

interface Hover {
  node: Node;
  sample: number;
  x: number;
  y: number;
}

export function View({ store, requests, connection }: ViewProps<GradientStore>): JSX.Element {
  const info = useStore(store.info);
  const live = useStore(store.live);
  const history = useStore(store.history);
  const link = useStore(connection.link);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const error = useStore(store.error);
  const theme = useTheme();
  const still = useReducedMotion();
  const [metric, setMetric] = useState<Metric>("norm");
  const [selected, setSelected] = useState<Node | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [scroll, setScroll] = useState(0);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const ids = useId(); // two views of one model live on one page
  const tree = useTree(info);
  const playback = usePlayback(history);
  const { domain, seen, of } = useNumbers(history, metric, info);

  const { rows } = tree;
  const rowHeight = rows.length <= 14 ? 26 : rows.length <= 30 ? 21 : 18;
  const content = rows.length * rowHeight;
  const height = Math.min(TALLEST, content);
  const scale = sequential(theme);
  const step = playback.sample >= 0 ? (history.steps[playback.sample] as number) : 0;
  const axis = axisOf(history);
  const place = (s: number) => (s - axis.first) / (axis.last - axis.first);
  const state: State = stateWith(link, live.state);
  const layout = measure(width, rows, info);

  useRootData({
    state,
    step,
    samples: history.length,
    newest: history.length > 0 ? (history.steps[history.length - 1] as number) : 0,
    live: playback.live,
  });
  useRootData({ ready: width > 0 ? true : null });

  const first = Math.floor(scroll / rowHeight);
  const inView = rows.slice(first, first + Math.ceil(height / rowHeight) + 1);
  const heatRows = useCallback(
    (): HeatRow[] =>
      inView.map((node, i) => ({
        series: node.children.length > 0 && tree.isOpen(node) ? null : of(node),
        top: (first + i) * rowHeight - scroll + 1,
        height: rowHeight - 2,
      })),
    [rows, first, scroll, rowHeight, metric, history.length, history.epoch],
  );
  const draw = useCallback(drawHeatmap(history, heatRows(), domain), [
    heatRows,
    domain.low,
    domain.high,
    history,
  ]);

  const select = (node: Node | undefined) => {
    setSelected(node ?? null);
  };
  const reveal = (name: string) => select(tree.reveal(name));
  useEffect(() => {
    if (selected)
      document.getElementById(ids + selected.id)?.scrollIntoView?.({ block: "nearest" });
  }, [selected]);

  const move = (by: number) => {
    const now = rows.findIndex((node) => node.id === selected?.id);
    select(
      rows[
        now < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by))
      ],
    );
  };
  const toggle = () => {
    const node = rows.find((row) => row.id === selected?.id);
    if (node && node.children.length > 0) tree.toggle(node);
  };
  const onKey = keys({
    ArrowLeft: () => playback.show(playback.sample - 1),
    ArrowRight: () => playback.show(playback.sample + 1),
    ArrowUp: () => move(-1),
    ArrowDown: () => move(1),
    Home: () => playback.show(0),
    End: () => playback.goLive(),
    Enter: toggle,
    " ": toggle,
    Escape: () => (selected ? setSelected(null) : playback.goLive()),
  });

  const onPointer = (event: PointerEvent) => {
    const body = event.currentTarget as HTMLElement;
    const box = body.getBoundingClientRect();
    const y = event.clientY - box.top;
    const node = rows[Math.floor(y / rowHeight)];
    const heat = body.querySelector(".gf-heat")?.getBoundingClientRect();
    if (!node || !heat || history.length === 0) return;
    const at = (event.clientX - heat.left) / heat.width;
    const inside = at >= 0 && at <= 1;
    const sample = inside
      ? history.indexAt(axis.first + at * (axis.last - axis.first))
      : playback.sample;
    if (event.type === "pointerdown") {
      if (inside) body.setPointerCapture?.(event.pointerId);
      else if (event.button === 0) setSelected(node.id === selected?.id ? null : node);
    }
    const held = body.hasPointerCapture?.(event.pointerId) ?? false;
    if (inside && (held || event.type === "pointerdown")) playback.show(sample);
    const panel = frame.current?.getBoundingClientRect();
    if (!panel) return;
    setHover({ node, sample, x: event.clientX - panel.left, y: event.clientY - panel.top });
  };

  const empty = history.length === 0;
  const title = metric === "norm" ? "Gradient norm" : "Gradient ÷ weights";
  const someClosed = rows.some((node) => node.children.length > 0 && !tree.isOpen(node));
  return (
    <Panel
      title={info.title}
      source={info.source}
      state={state}
      status={live.step > 0 ? `step ${count(live.step)}` : null}
      findings={findings}
      failures={failures}
      onSubject={reveal}
      knows={(name) => info.layers.some((layer) => layer.name === name)}
      note={info.note}
      error={error}
      onDismiss={() => store.error.set(null)}
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
      foot={runFoot(live, plural(info.layers.length, "layer"))}
    >
      <div
        ref={frame}
        class={`gf${layout.small ? " gf-small" : ""}${still ? " gf-still" : ""}`}
        style={{ "--gf-names": `${layout.names}px` }}
      >
        {empty ? (
          <Empty
            title={
              live.state === "done"
                ? "The run ended without a step"
                : "Waiting for the first optimizer.step()"
            }
            text={`${plural(info.layers.length, "layer")} are being watched. The picture starts with the first step that is sampled.`}
          />
        ) : (
          <div
            class="gf-scroll"
            role="treegrid"
            aria-label={`${title} of ${plural(info.layers.length, "layer")}, step ${count(step)}`}
            tabIndex={0}
            aria-activedescendant={selected ? `${ids}${selected.id}` : undefined}
            onKeyDown={onKey}
            onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
            style={{ maxHeight: `${height + AXES}px` }}
          >
            <div class="gf-grid gf-head">
              <div>
                Layer <small>{layout.small ? "" : "input → output"}</small>
              </div>
              <div class="gf-number" />
              <div>
                {title} {!layout.small && <small>at step {count(step)}</small>}
              </div>
              <div>
                History{" "}
                <small>{layout.small ? `step ${count(step)}` : "same colours, by step"}</small>
              </div>
            </div>
            <div
              class="gf-grid gf-body"
              style={{ height: `${content}px` }}
              onPointerDown={onPointer}
              onPointerMove={onPointer}
              onPointerLeave={() => setHover(null)}
            >
              <div
                class="gf-lines"
                style={{ backgroundSize: `calc((100% - 1px) / ${domain.high - domain.low}) 100%` }}
              />
              <div class="gf-rows">
                {rows.map((node) => (
                  <Row
                    key={node.id}
                    id={ids + node.id}
                    node={node}
                    layer={info.layers[node.layers[0] ?? 0]}
                    series={node.children.length > 0 && tree.isOpen(node) ? null : of(node)}
                    sample={playback.sample}
                    domain={domain}
                    scale={scale}
                    height={rowHeight}
                    nameChars={layout.chars(node.depth)}
                    kinds={layout.kinds}
                    open={tree.isOpen(node)}
                    selected={node.id === selected?.id}
                    onToggle={() => tree.toggle(node)}
                  />
                ))}
              </div>
              <div class="gf-heat" style={{ height: `${height}px` }}>
                <Canvas draw={draw} height={height} label={`${title} by layer and step`} />
                <span class="gf-cursor" style={{ left: `${place(step) * 100}%` }} />
              </div>
            </div>
            <div class="gf-grid gf-foot">
              <div />
              <div class="gf-number" />
              <ValueAxis domain={domain} scale={scale} width={layout.bars} />
              <StepAxis
                first={axis.first}
                last={axis.last}
                newest={history.steps[history.length - 1] as number}
                step={step}
                width={layout.heat}
                onStep={(s) => playback.show(history.indexAt(s))}
              />
            </div>
          </div>
        )}
        {!empty && <Legend seen={seen} groups={someClosed} ranges={history.length > 1} />}
        {hover && (
          <Tooltip x={hover.x} y={hover.y}>
            <Detail
              {...hover}
              info={info}
              series={of(hover.node)}
              history={history}
              metric={metric}
            />
          </Tooltip>
        )}
        {selected && !empty && (
          <p class="gf-detail">
            <Detail
              node={selected}
              sample={playback.sample}
              info={info}
              series={of(selected)}
              history={history}
              metric={metric}
              wide
            />
          </p>
        )}
      </div>
    </Panel>
  );
}
