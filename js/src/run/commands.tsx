import type { JSX } from "preact";
import { Button, Deferred, Select, useStore } from "../ui";
import type { Pending, Store } from "../wire";
import type { Every, Live } from "./live";
import type { Playback } from "./playback";

const EVERY: readonly Every[] = ["auto", 1, 2, 5, 10, 50, 100];

interface RunCommandsProps {
  store: {
    live: Store<Live>;
    command(name: string, args?: Record<string, unknown>): Promise<void>;
  };
  pending: Store<readonly Pending[]>;
  connected: boolean;
}

/** What is recorded: sample every, pause, resume. At the right end of the controls. */
export function RunCommands({ store, pending, connected }: RunCommandsProps): JSX.Element {
  const live = useStore(store.live);
  const asked = useStore(pending).filter(({ name }) => name !== "snapshot");
  const paused = live.state === "paused";
  const usable = connected && live.controllable;
  const every = EVERY.includes(live.every) ? EVERY : [...EVERY, live.every];
  return (
    <div class="nbd-run-commands">
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
    </div>
  );
}

function text(every: Every): string {
  if (every === "auto") return "auto";
  return every === 1 ? "step" : `${every} steps`;
}

/** What is shown of the recording: replay it, or follow the newest step. */
export function PlaybackButtons(props: { playback: Playback; samples: number }): JSX.Element {
  const { playback, samples } = props;
  const empty = playback.sample < 0;
  return (
    <>
      <Button
        icon={playback.playing ? "pause" : "play"}
        label={playback.playing ? "Stop the replay" : "Replay the training"}
        disabled={empty || samples < 2}
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
    </>
  );
}
