import type { JSX } from "preact";
import { RunCommands } from "../../run";
import { Segmented, Select, Slider } from "../../ui";
import type { Pending, Store } from "../../wire";
import type { ScaleKind } from "./axis";
import type { Group } from "./groups";
import { REACHES } from "./picture";
import type { CurveStore } from "./store";

interface Props {
  store: CurveStore;
  pending: Store<readonly Pending[]>;
  connected: boolean;
  groups: readonly Group[];
  metric: string;
  onMetric: (name: string) => void;
  scale: ScaleKind;
  signed: boolean;
  onScale: (scale: ScaleKind) => void;
  reach: number;
  over: string;
  /** Whether there is a series with so many points that smoothing makes a difference. */
  smooths: boolean;
  onReach: (reach: number) => void;
}

/** The controls: what is shown on the left, what is recorded on the right. */
export function Commands(props: Props): JSX.Element {
  const { store, pending, connected, groups, metric, scale, signed, reach, over } = props;
  return (
    <>
      {groups.length > 1 && (
        <Select
          label="Show"
          value={metric}
          options={groups.map(({ name }) => ({ value: name, text: name }))}
          onChange={props.onMetric}
        />
      )}
      <Segmented<ScaleKind>
        label="Value axis"
        value={scale}
        disabled={groups.length === 0}
        options={[
          { value: "linear", text: "Linear" },
          {
            value: "log",
            text: "Log",
            title: signed ? "Values at or below 0 have no place on a log axis" : undefined,
          },
        ]}
        onChange={props.onScale}
      />
      <span class="lc-smoothing">
        <Slider
          visible
          label="Smoothing"
          text={over ? `over ${over}` : "off"}
          min={0}
          max={REACHES.length - 1}
          value={reach}
          disabled={!props.smooths}
          onInput={props.onReach}
        />
        <span class="nbd-muted">{over || "off"}</span>
      </span>
      <RunCommands store={store} pending={pending} connected={connected} />
    </>
  );
}
