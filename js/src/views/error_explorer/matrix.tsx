import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import {
  Canvas,
  css,
  type Draw,
  inkOn,
  keys,
  type Pane,
  type RGB,
  shortenAll,
  Tooltip,
} from "../../ui";
import { changeColour, errorScale, RIGHT } from "./colours";
import type { Confusion } from "./confusion";
import { moveCell } from "./keys";
import {
  cellCorner,
  cellNear,
  FONT,
  inView,
  layOut,
  type MatrixLayout,
  type Window,
} from "./layout";
import { type MatrixPicture, paintMatrix, paintStill, type Shown } from "./matrix_paint";
import { type Ordering, orderClasses } from "./ordering";
import { type Cell, NOT_FINITE, sameCell } from "./types";
import { cellLabel, cellNumbers, quote } from "./words";
import { moveBy, toShow, zoomBy } from "./zoom";

/** Up to this many classes each cell is an element of its own, for assistive technology. */
const ELEMENTS = 20;
const FAMILY = 'system-ui, -apple-system, "Segoe UI", sans-serif';

interface Props {
  matrix: Confusion;
  classes: readonly string[];
  shown: Shown;
  opened: Cell | null;
  /** A cell pointed at elsewhere, as in the list of the largest confusions. */
  pointed: Cell | null;
  onOpen: (cell: Cell) => void;
  onClear: () => void;
  /** Whether a part of the matrix can be looked at; called with the part that is wanted. */
  onView: ((view: Window) => void) | null;
}

let measuring: CanvasRenderingContext2D | null | undefined;

function textWidth(text: string): number {
  measuring ??= document.createElement("canvas").getContext("2d");
  if (!measuring) return text.length * 7;
  measuring.font = `600 ${FONT}px ${FAMILY}`;
  return measuring.measureText(text).width;
}

export function useMatrixLayout(
  matrix: Confusion | null,
  classes: readonly string[],
  ordering: Ordering,
  width: number,
  maxHeight: number,
  view: Window | null,
): { layout: MatrixLayout; names: string[] } | null {
  const order = useMemo(() => (matrix ? orderClasses(matrix, ordering) : []), [matrix, ordering]);
  return useMemo(() => {
    if (!matrix || width === 0) return null;
    const names = shortenAll(classes, classes.length <= 12 ? 16 : 13);
    const nameWidths = names.map(textWidth);
    const hasNonfinite = matrix.hasNonfinite;
    return {
      names,
      layout: layOut({ order, width, hasNonfinite, nameWidths, maxHeight, view }),
    };
  }, [matrix, classes, order, width, maxHeight, view]);
}

export function Matrix(props: Props & { layout: MatrixLayout; names: string[] }) {
  const { matrix, classes, shown, opened, onOpen, onClear, onView, layout, names } = props;
  const [hovered, setHovered] = useState<Cell | null>(null);
  const [focused, setFocused] = useState<Cell | null>(null);
  const [hasFocus, setHasFocus] = useState(false);
  // The focused cell explains itself to who works by keys; a pointer has its own cell.
  const [byKeys, setByKeys] = useState(true);
  const layer = useRef<HTMLDivElement>(null);
  const focusId = useId();
  useEffect(() => {
    if (opened && focused && !sameCell(opened, focused)) setFocused(opened);
  }, [opened]);

  const ring = hasFocus ? focused : null;
  const pointed = hovered ?? props.pointed;
  const still = useStill([layout, matrix, names, shown]);
  const draw = useMemo<Draw>(
    () => (context, pane) => {
      const scale = errorScale(pane.theme);
      const fills = new Map<string, RGB>();
      const fill = (rgb: RGB): string => {
        const text = css(rgb);
        fills.set(text, rgb);
        return text;
      };
      const picture: MatrixPicture = {
        layout,
        matrix,
        names,
        shown,
        hovered: pointed,
        focused: ring,
        opened,
        colours: {
          text: pane.color("--nbd-fg"),
          quiet: pane.color("--nbd-muted"),
          background: pane.color("--nbd-bg"),
          grid: pane.color("--nbd-line"),
          right: () => fill(RIGHT[pane.theme]),
          rightText: pane.color("--nbd-muted"),
          error: (level) => fill(scale(level)),
          change: (level) => fill(changeColour(level)),
          changeGrid: "rgba(0, 0, 0, 0.1)",
          on: (text) => inkOn(fills.get(text) ?? [128, 128, 128]),
          accent: pane.color("--nbd-accent"),
          family: FAMILY,
        },
      };
      paintMatrix(context, picture, () =>
        still(context, pane, (part) => paintStill(part, picture)),
      );
    },
    [layout, matrix, names, shown, pointed, ring, opened, still],
  );

  const at = (event: MouseEvent): Cell | null => {
    const box = layer.current?.getBoundingClientRect();
    if (!box) return null;
    return cellNear(layout, event.clientX - box.left, event.clientY - box.top, matrix.count);
  };
  const move = (event: KeyboardEvent) => {
    const next = moveCell(layout, focused ?? opened, event.key);
    if (!next) return;
    setFocused(next);
    if (onView && !inView(layout, next)) {
      const [row, column] = positions(layout, next);
      onView(toShow(layout.view, layout.order.length, row, column));
    }
  };
  const zoom = (factor: number, cell: Cell | null) => {
    if (!onView) return;
    const [row, column] = cell ? positions(layout, cell) : [];
    onView(zoomBy(layout.view, layout.order.length, factor, row, column));
  };
  const drag = useDrag(layout, onView);
  const open = (cell: Cell | null) => {
    if (!cell) return;
    setFocused(cell);
    onOpen(cell);
  };
  const onKeyDown = keys({
    ArrowLeft: move,
    ArrowRight: move,
    ArrowUp: move,
    ArrowDown: move,
    Home: move,
    End: move,
    PageUp: move,
    PageDown: move,
    Enter: () => open(focused),
    " ": () => open(focused),
    "+": () => zoom(0.5, focused),
    "-": () => zoom(2, focused),
    Escape: () => {
      setFocused(null);
      onClear();
    },
  });
  const told = hovered ?? (byKeys ? ring : null);
  const corner = told ? cellCorner(layout, told) : null;
  return (
    <div class="ex-matrix" style={{ width: `${layout.width}px` }}>
      <Canvas draw={draw} height={layout.height} label="Confusion matrix" />
      <div
        ref={layer}
        class="ex-cells"
        role="grid"
        aria-label="Confusion matrix. Rows: true class. Columns: predicted class."
        aria-rowcount={layout.order.length}
        aria-colcount={layout.columns}
        aria-activedescendant={focused ? focusId : undefined}
        tabIndex={0}
        data-matrix=""
        data-classes={layout.order.length}
        data-order={layout.order.join(",")}
        data-x0={layout.x0}
        data-y0={layout.y0}
        data-cell-size={layout.cell}
        data-view={
          onView ? [layout.view.row, layout.view.column, layout.view.span].join(",") : undefined
        }
        data-nonfinite-x={layout.hasNonfinite ? layout.nonfiniteX : undefined}
        data-hovered={hovered?.join(",")}
        data-focused={focused?.join(",")}
        style={{ cursor: hovered ? "pointer" : "default" }}
        onPointerMove={(event) => {
          if (drag.move(event)) {
            setHovered(null);
            return;
          }
          const cell = at(event);
          if (!sameCell(cell, hovered)) setHovered(cell);
        }}
        onPointerLeave={() => setHovered(null)}
        onPointerDown={(event) => {
          setByKeys(false);
          drag.start(event);
        }}
        onClick={(event) => {
          if (!drag.moved()) open(elementCell(event) ?? at(event));
        }}
        onWheel={(event) => {
          // As on a map: the wheel alone goes on scrolling the notebook.
          if (!onView || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.25 : 0.8, at(event));
        }}
        onFocus={() => {
          setHasFocus(true);
          if (!focused) setFocused(opened ?? moveCell(layout, null, "Home"));
        }}
        onBlur={() => setHasFocus(false)}
        onKeyDown={(event) => {
          setByKeys(true);
          onKeyDown(event);
        }}
      >
        <Cells
          cells={layout.order.length <= ELEMENTS ? allCells(layout) : focused ? [[focused]] : []}
          {...{ layout, matrix, classes, focused, opened, focusId }}
        />
      </div>
      {told && corner && (
        <Tooltip x={corner.x + layout.cell / 2} y={corner.y + layout.cell / 2}>
          <CellText cell={told} matrix={matrix} classes={classes} />
        </Tooltip>
      )}
      <span class="nbd-sr" role="status">
        {hasFocus && focused ? cellLabel(focused, matrix, classes) : ""}
      </span>
    </div>
  );
}

function positions({ position, view }: MatrixLayout, [t, p]: Cell): [number, number] {
  return [position[t] ?? 0, p === NOT_FINITE ? view.column : (position[p] ?? 0)];
}

type Still = (
  context: CanvasRenderingContext2D,
  pane: Pane,
  paint: (part: CanvasRenderingContext2D) => void,
) => void;

/** A picture that is painted once for the same data, size and theme, and copied after that. */
function useStill(data: readonly unknown[]): Still {
  return useMemo(() => {
    let kept: HTMLCanvasElement | null = null;
    let key = "";
    return (context, pane, paint) => {
      const now = [pane.width, pane.height, pane.ratio, pane.theme, pane.color("--nbd-bg")].join();
      if (!kept || now !== key) {
        kept = document.createElement("canvas");
        key = now;
        kept.width = Math.round(pane.width * pane.ratio);
        kept.height = Math.round(pane.height * pane.ratio);
        const part = kept.getContext("2d");
        part?.setTransform(pane.ratio, 0, 0, pane.ratio, 0, 0);
        if (part) paint(part);
      }
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(kept, 0, 0);
      context.restore();
    };
  }, data);
}

/** Dragging moves the part in view; a press without a move stays a click. */
function useDrag(layout: MatrixLayout, onView: ((view: Window) => void) | null) {
  const from = useRef<{ x: number; y: number; view: Window; moved: boolean } | null>(null);
  const able = onView !== null && layout.view.span < layout.order.length;
  return {
    start(event: PointerEvent): void {
      const { clientX: x, clientY: y } = event;
      from.current = { x, y, view: layout.view, moved: false };
    },
    move(event: PointerEvent): boolean {
      const began = from.current;
      if (!able || !began || event.buttons !== 1) return false;
      const [dx, dy] = [event.clientX - began.x, event.clientY - began.y];
      if (!began.moved && Math.hypot(dx, dy) < 5) return false;
      began.moved = true;
      const { order, cell } = layout;
      onView(moveBy(began.view, order.length, -dy / cell, -dx / cell));
      return true;
    },
    moved: () => from.current?.moved === true,
  };
}

/** A click made by a script or a screen reader has no position, but an element. */
function elementCell(event: MouseEvent): Cell | null {
  if (event.detail !== 0 && event.clientX !== 0) return null;
  const text = (event.target as HTMLElement).closest<HTMLElement>("[data-cell]")?.dataset.cell;
  const [t, p] = text?.split(",").map(Number) ?? [];
  return t === undefined || p === undefined ? null : [t, p];
}

function allCells(layout: MatrixLayout): Cell[][] {
  return layout.order.map((t) => {
    const row: Cell[] = layout.order.map((p) => [t, p]);
    if (layout.hasNonfinite) row.push([t, NOT_FINITE]);
    return row;
  });
}

interface CellsProps {
  cells: Cell[][];
  layout: MatrixLayout;
  matrix: Confusion;
  classes: readonly string[];
  focused: Cell | null;
  opened: Cell | null;
  focusId: string;
}

function Cells({ cells, layout, matrix, classes, focused, opened, focusId }: CellsProps) {
  return (
    <>
      {cells.map((row) => (
        <div key={row[0]?.[0]} role="row" class="ex-row">
          {row.map((cell) => {
            const { x, y } = cellCorner(layout, cell);
            const side = `${layout.cell}px`;
            return (
              <div
                key={cell[1]}
                id={sameCell(cell, focused) ? focusId : undefined}
                role="gridcell"
                data-cell={cell.join(",")}
                data-count={matrix.count(cell)}
                aria-selected={sameCell(cell, opened)}
                aria-label={cellLabel(cell, matrix, classes)}
                style={{ left: `${x}px`, top: `${y}px`, width: side, height: side }}
              />
            );
          })}
        </div>
      ))}
    </>
  );
}

function CellText({
  cell,
  matrix,
  classes,
}: {
  cell: Cell;
  matrix: Confusion;
  classes: readonly string[];
}) {
  const [t, p] = cell;
  return (
    <>
      <div>
        true <b>{quote(classes[t] ?? "", 60)}</b>
      </div>
      <div>
        {p === NOT_FINITE ? (
          "output not finite"
        ) : (
          <>
            predicted <b>{quote(classes[p] ?? "", 60)}</b>
            {p === t ? " – right" : ""}
          </>
        )}
      </div>
      <div class="nbd-muted">{cellNumbers(cell, matrix)}</div>
    </>
  );
}
