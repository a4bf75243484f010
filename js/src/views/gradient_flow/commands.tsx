import type { JSX } from "preact";
import type { LayersStore, Metric } from "../../layers";
import { type Playback, PlaybackButtons, RunCommands } from "../../run";
import { Segmented, useStore } from "../../ui";
import type { Pending, Store } from "../../wire";
import { METRICS } from "./metrics";

interface Props {
  store: LayersStore;
  pending: Store<readonly Pending[]>;
  connected: boolean;
  playback: Playback;
  metric: Metric;
  onMetric: (metric: Metric) => void;
}

/** The controls: what is shown on the left, what is recorded on the right. */
export function Commands(props: Props): JSX.Element {
  const { store, pending, connected, playback, metric, onMetric } = props;
  const live = useStore(store.live);
  return (
    <>
      <PlaybackButtons playback={playback} samples={live.samples} />
      <Segmented<Metric>
        label="What the bars show"
        value={metric}
        options={Object.entries(METRICS).map(([value, { text, title }]) => ({
          value: value as Metric,
          text,
          title,
        }))}
        onChange={onMetric}
      />
      <RunCommands store={store} pending={pending} connected={connected} />
    </>
  );
}
