import { useRef } from "preact/hooks";
import type { History } from "./history";
import { type Domain, domainOf } from "./scale";
import { type Metric, type Series, SeriesCache } from "./series";
import type { Node } from "./tree";

/** The numbers behind the rows, and the axis that holds all of them and (unless NaN) `within`. */
export function useNumbers(
  history: History,
  metric: Metric,
  within: readonly [number, number] = [Number.NaN, Number.NaN],
) {
  const cache = useRef(new SeriesCache()).current;
  let low = Number.isNaN(within[0]) ? Number.POSITIVE_INFINITY : within[0];
  let high = Number.isNaN(within[1]) ? Number.NEGATIVE_INFINITY : within[1];
  const seen = new Set<number>();
  for (let layer = 0; layer < history.layers; layer++) {
    const series = cache.get(history, metric, `layer ${layer}`, [layer]);
    low = Math.min(low, series.low);
    high = Math.max(high, series.high);
    for (const status of series.seen) seen.add(status);
  }
  const domain: Domain = domainOf(low, high);
  const of = (node: Node): Series =>
    node.children.length > 0
      ? cache.get(history, metric, node.id, node.layers)
      : cache.get(history, metric, `layer ${node.layers[0]}`, node.layers);
  return { domain, seen, of };
}
