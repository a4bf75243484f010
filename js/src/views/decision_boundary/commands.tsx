import type { JSX } from "preact";
import { Button, Deferred, Segmented, Select, shorten, useStore } from "../../ui";
import type { Pending } from "../../wire";
import type { Slice } from "./slice";
import type { Boundary } from "./store";

interface Props {
  store: Boundary;
  slice: Slice;
  connected: boolean;
  pending: readonly Pending[];
}

/** Which features, what of the rest, which probability, and what is drawn over it. */
export function Commands({ store, slice, connected, pending }: Props): JSX.Element {
  const info = useStore(store.info);
  const settings = useStore(store.settings);
  const chosen = useStore(store.chosen);
  const features = info.features.flatMap(({ name, unfit }, value) =>
    unfit ? [] : [{ value, text: shorten(name, 28) }],
  );
  const classes = [
    { value: -1, text: "predicted class" },
    ...slice.field.classes.map((value) => ({
      value,
      text: `probability of ${shorten(info.classes[value] ?? String(value), 24)}`,
    })),
  ];
  const sample = typeof slice.hold === "number" ? slice.hold : chosen;
  return (
    <>
      <Select
        label="Across"
        value={slice.x.number}
        options={features}
        disabled={!connected}
        onChange={(x) => store.cut({ x })}
      />
      <Select
        label="Up"
        value={slice.y.number}
        options={features}
        disabled={!connected}
        onChange={(y) => store.cut({ y })}
      />
      {info.features.length > 2 && (
        <Segmented
          label="Hold the other features at"
          value={slice.hold === "typical" ? "typical" : "sample"}
          disabled={!connected}
          options={[
            {
              value: "typical",
              text: "Medians",
              title: "The other features at their medians (the commonest of two values)",
            },
            {
              value: "sample",
              text: sample === null ? "A sample" : `Sample ${sample}`,
              title: "The other features as in the chosen sample: click one in the picture",
            },
          ]}
          onChange={(value) => {
            if (value === "typical") store.cut({ hold: "typical" });
            else if (sample !== null) store.cut({ hold: sample });
            else store.error.set("Choose a sample first: click it in the picture.");
          }}
        />
      )}
      <Select
        label="Show"
        value={settings.shown ?? -1}
        options={classes}
        onChange={(value) => store.change({ shown: value < 0 ? null : value })}
      />
      <Button
        pressed={settings.points}
        onClick={() => store.change({ points: !settings.points })}
        title="Draw the samples"
      >
        Samples
      </Button>
      {slice.control && (
        <Button
          pressed={settings.control}
          onClick={() => store.change({ control: !settings.control })}
          title="Draw the boundary of a smooth model that was fitted to the same samples"
        >
          Smooth control
        </Button>
      )}
      <Deferred pending={pending} />
    </>
  );
}
