import type { JSX } from "preact";
import { Button, Deferred, Segmented, Select, useStore } from "../../ui";
import type { Pending, Store } from "../../wire";
import type { Playback } from "./playback";
import type { Metric } from "./series";
import type { Every, GradientStore } from "./store";

const EVERY: readonly Every[] = ["auto", 1, 2, 5, 10, 50, 100];

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
  const { store, playback, metric, onMetric, connected } = props;
  const live = useStore(store.live);
  const pending = useStore(props.pending);
  const empty = playback.sample < 0;
  const paused = live.state === "paused";
  const usable = connected && live.controllable;
  const asked = pending.filter(({ name }) => name !== "snapshot");
  const every = EVERY.includes(live.every) ? EVERY : [...EVERY, live.every];
  return (
    <>
      <Button
        icon={playback.playing ? "pause" : "play"}
        label={playback.playing ? "Stop the replay" : "Replay the training"}
        disabled={empty || live.samples < 2}
        onClick={playback.togglePlay}
      >
        {playback.playing ? "Stop" : "Replay"}
      </Button>
      <Button
        icon="live"
        label="Follow the newest step"
        pressed={playback.live && !empty}
        disabled={empty}
        onClick={playback.goLive}
      >
        Newest
      </Button>
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
      <span class="gf-spring" />
      <Deferred pending={asked} />
      <Select<Every>
        label="Sample every"
        value={live.every}
        disabled={!usable}
        options={every.map((value) => ({ value, text: text(value) }))}
        onChange={(value) => void store.command("every", { every: value })}
      />
      <Button
        icon={paused ? "play" : "pause"}
        label={paused ? "Resume sampling" : "Pause sampling"}
        disabled={!usable || asked.some(({ name }) => name === "pause" || name === "resume")}
        onClick={() => void store.command(paused ? "resume" : "pause")}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
    </>
  );
}

function text(every: Every): string {
  if (every === "auto") return "auto";
  return every === 1 ? "step" : `${every} steps`;
}
