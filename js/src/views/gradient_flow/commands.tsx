import type { JSX } from "preact";
import { type Playback, PlaybackButtons, RunCommands } from "../../run";
import { Segmented, useStore } from "../../ui";
import type { Pending, Store } from "../../wire";
import type { Metric } from "./series";
import type { GradientStore } from "./store";

interface Props {
  store: GradientStore;
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
        options={[
          { value: "norm", text: "Gradient norm", title: "The L2 norm of each layer's gradient" },
          {
            value: "relative",
            text: "Relative to weights",
            title: "The gradient's norm divided by the norm of the layer's weights",
          },
        ]}
        onChange={onMetric}
      />
      <RunCommands store={store} pending={pending} connected={connected} />
    </>
  );
}
