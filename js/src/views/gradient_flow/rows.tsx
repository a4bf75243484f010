import type { JSX } from "preact";
import { css, Icon, Name, number, plural, type Scale } from "../../ui";
import { type Domain, share } from "./scale";
import type { Series } from "./series";
import { OK, STATUS } from "./status";
import type { Layer } from "./store";
import type { Node } from "./tree";

/** Pixels a level of the name tree. */
export const INDENT = 12;

/** The smallest value still shows as a sliver. */
const LEAST = 0.008;

interface Props {
  id: string;
  node: Node;
  /** The layer of a leaf. */
  layer: Layer | undefined;
  series: Series | null;
  sample: number;
  domain: Domain;
  scale: Scale;
  height: number;
  nameChars: number;
  kinds: boolean;
  open: boolean;
  selected: boolean;
  onToggle: () => void;
}

function at(value: number): string {
  return `${(value * 100).toFixed(2)}%`;
}

/** One row: name, number, bar. The heat map's cells lie beside it, on one canvas for all rows. */
export function Row(props: Props): JSX.Element {
  const { id, node, layer, series, sample, height, open, selected, nameChars, kinds } = props;
  const group = node.children.length > 0;
  const log = series?.log[sample] ?? Number.NaN;
  const status = series?.status[sample] ?? OK;
  const value = 10 ** log;
  const note = group ? plural(node.layers.length, "layer") : layer?.kind;
  return (
    <div
      class={`gf-row${selected ? " gf-selected" : ""}${group && open ? " gf-heading" : ""}`}
      id={id}
      role="row"
      tabIndex={-1}
      aria-level={node.depth + 1}
      aria-expanded={group ? open : undefined}
      aria-selected={selected}
      data-layer={node.path}
      data-value={series && !Number.isNaN(log) ? value : undefined}
      data-status={series ? STATUS[status]?.text || "ok" : undefined}
      style={{ height: `${height}px` }}
    >
      <div class="gf-name" role="rowheader" style={{ paddingLeft: `${node.depth * INDENT}px` }}>
        {group ? (
          <button
            type="button"
            class="gf-toggle"
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
          <span class="gf-toggle" />
        )}
        <span title={node.path}>
          <Name name={node.label} max={nameChars} />
        </span>
        {kinds && note && <span class="gf-kind">{note}</span>}
      </div>
      {series ? (
        <>
          <div
            class={`gf-number${STATUS[status]?.bad && Number.isNaN(log) ? " gf-bad" : ""}`}
            role="gridcell"
          >
            {status === OK || (group && !Number.isNaN(log)) ? number(value) : STATUS[status]?.mark}
          </div>
          <div class="gf-bar" role="gridcell">
            <Bar {...props} series={series} log={log} status={status} group={group} />
          </div>
        </>
      ) : null}
    </div>
  );
}

interface BarProps extends Props {
  series: Series;
  log: number;
  status: number;
  group: boolean;
}

function Bar({ series, log, status, group, domain, scale, sample }: BarProps): JSX.Element {
  const words = STATUS[status];
  const has = !Number.isNaN(log);
  const s = share(domain, log);
  const from = share(domain, series.low);
  const to = share(domain, series.high);
  return (
    <>
      {!group && series.low < series.high && (
        <span class="gf-range" style={{ left: at(from), width: at(to - from) }} />
      )}
      {has && (
        <span
          class="gf-fill"
          data-bar
          style={{
            transform: `scaleX(${Math.max(LEAST, s).toFixed(4)})`,
            background: css(scale(s)),
          }}
        />
      )}
      {group && <Ticks values={series.members(sample).map((v) => share(domain, v))} />}
      {status !== OK && words && (words.bad || !has) && (
        <span class={`gf-mark${has ? " gf-aside" : ""}${words.bad ? " gf-bad" : ""}`}>
          <i class={`gf-key gf-mark-${status}`} /> {words.text}
        </span>
      )}
    </>
  );
}

/** A tick for each layer of a closed group. One path, as there may be hundreds. */
function Ticks({ values }: { values: number[] }): JSX.Element {
  const path = values.map((v) => `M${(v * 1000).toFixed(0)} 0V1`).join("");
  const crowded = values.length > 24;
  return (
    <svg class="gf-ticks" viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">
      {!crowded && <path d={path} vector-effect="non-scaling-stroke" class="gf-ticks-halo" />}
      <path d={path} vector-effect="non-scaling-stroke" opacity={crowded ? 0.4 : 1} />
    </svg>
  );
}
