import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, css, type Draw, inkOn, keys, type RGB, shortenAll, Tooltip } from "../../ui";
import { errorScale, RIGHT } from "./colours";
import type { Confusion } from "./confusion";
import { moveCell } from "./keys";
import { cellCorner, cellNear, FONT, layOut, type MatrixLayout } from "./layout";
import { paintMatrix, type Shown } from "./matrix_paint";
import { type Ordering, orderClasses } from "./ordering";
import { type Cell, NOT_FINITE, sameCell } from "./types";
import { cellLabel, cellNumbers, quote } from "./words";

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
): { layout: MatrixLayout; names: string[] } | null {
  const order = useMemo(() => (matrix ? orderClasses(matrix, ordering) : []), [matrix, ordering]);
  return useMemo(() => {
    if (!matrix || width === 0) return null;
    const names = shortenAll(classes, classes.length <= 12 ? 16 : 13);
    const nameWidths = names.map(textWidth);
    const hasNonfinite = matrix.hasNonfinite;
    return { names, layout: layOut({ order, width, hasNonfinite, nameWidths, maxHeight }) };
  }, [matrix, classes, order, width, maxHeight]);
}

export function Matrix(props: Props & { layout: MatrixLayout; names: string[] }) {
  const { matrix, classes, shown, opened, onOpen, onClear, layout, names } = props;
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
  const draw = useMemo<Draw>(
    () => (context, pane) => {
      const scale = errorScale(pane.theme);
      const fills = new Map<string, RGB>();
      const fill = (rgb: RGB): string => {
        const text = css(rgb);
        fills.set(text, rgb);
        return text;
      };
      paintMatrix(context, {
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
          on: (text) => inkOn(fills.get(text) ?? [128, 128, 128]),
          accent: pane.color("--nbd-accent"),
          family: FAMILY,
        },
      });
    },
    [layout, matrix, names, shown, pointed, ring, opened],
  );

  const at = (event: MouseEvent): Cell | null => {
    const box = layer.current?.getBoundingClientRect();
    if (!box) return null;
    return cellNear(layout, event.clientX - box.left, event.clientY - box.top, matrix.count);
  };
  const move = (event: KeyboardEvent) => {
    const next = moveCell(layout, focused ?? opened, event.key);
    if (next) setFocused(next);
  };
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
        data-nonfinite-x={layout.hasNonfinite ? layout.nonfiniteX : undefined}
        data-hovered={hovered?.join(",")}
        data-focused={focused?.join(",")}
        style={{ cursor: hovered ? "pointer" : "default" }}
        onPointerMove={(event) => {
          const cell = at(event);
          if (!sameCell(cell, hovered)) setHovered(cell);
        }}
        onPointerLeave={() => setHovered(null)}
        onPointerDown={() => setByKeys(false)}
        onClick={(event) => open(elementCell(event) ?? at(event))}
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
