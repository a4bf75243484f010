import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { type Playback, StepAxis, type Timeline } from "../run";
import { Canvas, type Draw, keys, Tooltip, useSize } from "../ui";
import { axisOf } from "./columns";
import type { Names } from "./measure";
import { Row, type RowData } from "./row";
import type { Node } from "./tree";
import type { Tree } from "./use_tree";

const TALLEST = 600;
/** The heading and the axes, which stay in place while the rows scroll. */
const AXES = 71;

/** Where a row lies on the canvas. */
export interface Place {
  node: Node;
  top: number;
  height: number;
}

interface Props {
  label: string;
  tree: Tree;
  names: Names;
  note(node: Node): string;
  /** Columns after the names, the canvas last: widths as in grid-template-columns. */
  columns: string;
  heads: ComponentChildren[];
  /** Below the columns between the names and the canvas. */
  feet: ComponentChildren[];
  cells(node: Node): ComponentChildren;
  data(node: Node): RowData;
  /** Behind the rows, such as grid lines. */
  behind?: ComponentChildren;
  timeline: Timeline;
  playback: Playback;
  /** The last column, on one canvas for all rows. Give a new function when the picture changed. */
  paint(places: readonly Place[]): Draw;
  canvasLabel: string;
  canvasWidth: number;
  selected: Node | null;
  onSelect(node: Node | null): void;
  /** What to say of a row at a step: the sample at or before it. */
  explain(node: Node, sample: number, step: number): ComponentChildren;
}

interface Hover {
  node: Node;
  sample: number;
  step: number;
  x: number;
  y: number;
}

/** Layer by layer: name, numbers, and their history on a canvas with the step that is shown. */
export function Table(props: Props): JSX.Element {
  const { tree, timeline, playback, selected, onSelect, names, paint } = props;
  const { rows } = tree;
  const [hover, setHover] = useState<Hover | null>(null);
  const [scroll, setScroll] = useState(0);
  const [frame] = useSize<HTMLDivElement>();
  const ids = useId(); // two views of one model live on one page
  const rowHeight = rows.length <= 14 ? 26 : rows.length <= 30 ? 21 : 18;
  const content = rows.length * rowHeight;
  const height = Math.min(TALLEST, content);
  const step = playback.sample >= 0 ? (timeline.steps[playback.sample] as number) : 0;
  const axis = axisOf(timeline);
  const place = (s: number) => (s - axis.first) / (axis.last - axis.first);

  const first = Math.floor(scroll / rowHeight);
  const draw = useMemo(() => {
    const inView = rows.slice(first, first + Math.ceil(height / rowHeight) + 1);
    return paint(
      inView.map((node, i) => ({
        node,
        top: (first + i) * rowHeight - scroll + 1,
        height: rowHeight - 2,
      })),
    );
  }, [paint, rows, first, scroll, rowHeight, height]);

  useEffect(() => {
    if (selected)
      document.getElementById(ids + selected.id)?.scrollIntoView?.({ block: "nearest" });
  }, [selected]);

  const move = (by: number) => {
    const now = rows.findIndex((node) => node.id === selected?.id);
    const next = now < 0 ? (by > 0 ? 0 : rows.length - 1) : now + by;
    onSelect(rows[Math.min(rows.length - 1, Math.max(0, next))] ?? null);
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
    Escape: () => (selected ? onSelect(null) : playback.goLive()),
  });

  const onPointer = (event: PointerEvent) => {
    const body = event.currentTarget as HTMLElement;
    const box = body.getBoundingClientRect();
    const node = rows[Math.floor((event.clientY - box.top) / rowHeight)];
    const heat = body.querySelector(".ly-heat")?.getBoundingClientRect();
    if (!node || !heat || timeline.length === 0) return;
    const at = (event.clientX - heat.left) / heat.width;
    const inside = at >= 0 && at <= 1;
    const pointed = inside ? axis.first + at * (axis.last - axis.first) : step;
    const sample = inside ? timeline.indexAt(pointed) : playback.sample;
    if (event.type === "pointerdown") {
      if (inside) body.setPointerCapture?.(event.pointerId);
      else if (event.button === 0) onSelect(node.id === selected?.id ? null : node);
    }
    const held = body.hasPointerCapture?.(event.pointerId) ?? false;
    if (inside && (held || event.type === "pointerdown")) playback.show(sample);
    const panel = frame.current?.getBoundingClientRect();
    if (!panel) return;
    const [x, y] = [event.clientX - panel.left, event.clientY - panel.top];
    setHover({ node, sample, step: pointed, x, y });
  };

  return (
    <div ref={frame} class="ly" style={{ "--ly-columns": `${names.width}px ${props.columns}` }}>
      <div
        class="ly-scroll"
        role="treegrid"
        aria-label={props.label}
        tabIndex={0}
        aria-activedescendant={selected ? `${ids}${selected.id}` : undefined}
        onKeyDown={onKey}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
        style={{ maxHeight: `${height + AXES}px` }}
      >
        <div class="ly-grid ly-head">
          {props.heads.map((head, i) => (
            <div key={i}>{head}</div>
          ))}
        </div>
        <div
          class="ly-grid ly-body"
          style={{ height: `${content}px` }}
          onPointerDown={onPointer}
          onPointerMove={onPointer}
          onPointerLeave={() => setHover(null)}
        >
          {props.behind}
          <div class="ly-rows">
            {rows.map((node) => (
              <Row
                key={node.id}
                id={ids + node.id}
                node={node}
                note={props.note(node)}
                names={names}
                height={rowHeight}
                open={tree.isOpen(node)}
                selected={node.id === selected?.id}
                data={props.data(node)}
                onToggle={() => tree.toggle(node)}
              >
                {props.cells(node)}
              </Row>
            ))}
          </div>
          <div class="ly-heat" style={{ height: `${height}px` }}>
            <Canvas draw={draw} height={height} label={props.canvasLabel} />
            <span class="ly-cursor" style={{ left: `${place(step) * 100}%` }} />
          </div>
        </div>
        <div class="ly-grid ly-foot">
          <div />
          {props.feet.map((foot, i) => (
            <div key={i}>{foot}</div>
          ))}
          <StepAxis
            first={axis.first}
            last={axis.last}
            newest={timeline.steps[timeline.length - 1] ?? axis.last}
            step={step}
            width={props.canvasWidth}
            onStep={(s) => playback.show(timeline.indexAt(s))}
          />
        </div>
      </div>
      {hover && (
        <Tooltip x={hover.x} y={hover.y}>
          {props.explain(hover.node, hover.sample, hover.step)}
        </Tooltip>
      )}
    </div>
  );
}
