import type { JSX } from "preact";
import type { Group } from "./groups";
import { COLOR } from "./paint";
import type { Layer, Picture } from "./picture";
import { FINITE } from "./track";

/** What the lines and marks mean: only those that are in the picture. */
export function Legend(props: { group: Group; picture: Picture; over: string }): JSX.Element {
  const { group, picture, over } = props;
  const spikes = picture.layers.some((layer) => layer.spikes.length > 0);
  const bad = picture.layers.some(({ cells }) => cells.bad.some((status) => status !== FINITE));
  return (
    <ul class="lc-legend" aria-label="Legend">
      {group.members.map((member, k) => {
        const layer = picture.layers[k];
        if (!layer) return null;
        const { name } = member.track;
        const shape = layer.dense ? "dense" : member.role;
        return (
          <li key={member.track.name} style={{ "--lc-key": `var(${COLOR[member.role]})` }}>
            <i class={`lc-key lc-key-${shape}`} />
            {layer.dense ? denseText(name, layer, over) : name}
          </li>
        );
      })}
      {spikes && (
        <li>
          <i class="lc-sign">▼</i> spike (▲ at the top edge: higher than the axis)
        </li>
      )}
      {bad && (
        <li>
          <i class="lc-sign lc-bad">✕</i> NaN or infinite
        </li>
      )}
    </ul>
  );
}

function denseText(name: string, layer: Layer, over: string): string {
  const merged = layer.cells.low.some((low, i) => low < (layer.cells.high[i] as number));
  const what = merged ? "mean and full range" : "every value";
  if (!over) return `${name}: ${what}`;
  const left = layer.spikes.length > 0 ? " without the spikes" : "";
  return `${name}: ${what}; thick: smoothed over ${over}${left}`;
}
