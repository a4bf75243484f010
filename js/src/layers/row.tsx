import type { ComponentChildren, JSX } from "preact";
import { Icon, Name } from "../ui";
import type { Names } from "./measure";
import type { Node } from "./tree";

/** Pixels a level of the name tree. */
export const INDENT = 12;

export interface RowData {
  /** For tests: the number shown, and the status in words. */
  value?: number;
  status?: string;
}

interface Props {
  id: string;
  node: Node;
  /** Beside the name: a kind, or how many layers a group holds. */
  note: string;
  names: Names;
  height: number;
  open: boolean;
  selected: boolean;
  data: RowData;
  onToggle: () => void;
  /** The cells after the name. */
  children?: ComponentChildren;
}

/** A row of the table of layers. */
export function Row(props: Props): JSX.Element {
  const { id, node, note, names, height, open, selected, data } = props;
  const group = node.children.length > 0;
  return (
    <div
      class={`ly-row${selected ? " ly-selected" : ""}${group && open ? " ly-heading" : ""}`}
      id={id}
      role="row"
      tabIndex={-1}
      aria-level={node.depth + 1}
      aria-expanded={group ? open : undefined}
      aria-selected={selected}
      data-layer={node.path}
      data-value={data.value}
      data-status={data.status}
      style={{ height: `${height}px` }}
    >
      <div class="ly-name" role="rowheader" style={{ paddingLeft: `${node.depth * INDENT}px` }}>
        {group ? (
          <button
            type="button"
            class="ly-toggle"
            tabIndex={-1}
            aria-label={`${open ? "Close" : "Open"} ${node.path} (${note})`}
            aria-expanded={open}
            onClick={(event) => {
              event.stopPropagation();
              props.onToggle();
            }}
          >
            <Icon name="chevron" size={10} />
          </button>
        ) : (
          <span class="ly-toggle" />
        )}
        <span title={node.path}>
          <Name name={node.label} max={names.chars(node.depth, group)} />
        </span>
        {names.notes && note && <span class="ly-kind">{note}</span>}
      </div>
      {props.children}
    </div>
  );
}

interface BarProps {
  low: number;
  high: number;
}

function at(value: number): string {
  return `${(value * 100).toFixed(2)}%`;
}

/** Lowest to highest over the run, as shares of the axis. */
export function Range({ low, high }: BarProps): JSX.Element | null {
  if (!(low < high)) return null;
  return <span class="ly-range" style={{ left: at(low), width: at(high - low) }} />;
}

/** A tick for each layer of a closed group. One path, as there may be hundreds. */
export function Ticks({ values }: { values: number[] }): JSX.Element {
  const path = values.map((v) => `M${(v * 1000).toFixed(0)} 0V1`).join("");
  const crowded = values.length > 24;
  return (
    <svg class="ly-ticks" viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">
      {!crowded && <path d={path} vector-effect="non-scaling-stroke" class="ly-ticks-halo" />}
      <path d={path} vector-effect="non-scaling-stroke" opacity={crowded ? 0.4 : 1} />
    </svg>
  );
}
