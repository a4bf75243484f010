import { Button, gradient, number, plural, Segmented, Slider } from "../../ui";
import { camColour } from "./picture";
import type { Settings } from "./store";
import type { Scale, Target } from "./types";

interface Props {
  settings: Settings;
  onChange: (settings: Partial<Settings>) => void;
  /** Why there is no overlay; null where there is one. */
  reason: string | null;
  /** Largest value of the shared scale, and of how many maps. */
  shared: { peak: number; maps: number };
}

const TARGETS: { value: Target; text: string; title: string }[] = [
  { value: "predicted", text: "Predicted", title: "What spoke for the class it predicted" },
  { value: "true", text: "True", title: "What spoke for the class it should have predicted" },
];
const SCALES: { value: Scale; text: string; title: string }[] = [
  { value: "shared", text: "Shared", title: "One colour scale for all pictures" },
  {
    value: "own",
    text: "Each its own",
    title: "Each picture's own largest value in full colour: compare places, not strengths",
  },
];

export function scaleWords(scale: Scale, shared: { peak: number; maps: number }): string {
  if (scale === "own") {
    return "full colour = each picture’s own maximum";
  }
  if (shared.maps === 0) return "full colour is the largest value of all maps shown";
  return `full colour = ${number(shared.peak)}, the largest of ${plural(shared.maps, "map")} so far`;
}

export function CamControls({ settings, onChange, reason, shared }: Props) {
  const { overlay, opacity, target, scale } = settings;
  const on = overlay && reason === null;
  return (
    <div class="ex-cam">
      <Button
        pressed={on}
        disabled={reason !== null}
        onClick={() => onChange({ overlay: !overlay })}
        title="Where the network looked: class activation maps over the pictures"
      >
        {on ? "Grad-CAM on" : "Grad-CAM"}
      </Button>
      {reason !== null && <span class="nbd-muted">{reason}</span>}
      {on && (
        <>
          <span class="ex-field">
            <span>Explains</span>
            <Segmented
              label="Class explained"
              value={target}
              options={TARGETS}
              onChange={(value) => onChange({ target: value })}
            />
          </span>
          <span class="ex-field">
            <span>Scale</span>
            <Segmented
              label="Colour scale"
              value={scale}
              options={SCALES}
              onChange={(value) => onChange({ scale: value })}
            />
          </span>
          <span class="ex-scale">
            <span class="ex-field ex-opacity">
              <span>Opacity</span>
              <Slider
                label="Opacity of the overlay"
                value={Math.round(opacity * 100)}
                min={10}
                max={100}
                step={5}
                text={`${Math.round(opacity * 100)} %`}
                onInput={(value) => onChange({ opacity: value / 100 })}
              />
            </span>
            <span class="nbd-muted">0</span>
            <span class="ex-ramp" style={{ background: gradient(camColour) }} />
            <span class="nbd-muted">{scaleWords(scale, shared)}</span>
          </span>
        </>
      )}
    </div>
  );
}
