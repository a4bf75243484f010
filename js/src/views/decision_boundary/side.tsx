import type { JSX } from "preact";
import { Button, classColor, gradient, Name, number, sequential, useTheme } from "../../ui";
import type { Mark } from "./marks";
import { sampleText } from "./plot";
import type { Slice } from "./slice";
import type { Boundary, Info, Settings } from "./store";

interface Props {
  store: Boundary;
  slice: Slice;
  settings: Settings;
  info: Info;
  mark: Mark | null;
}

/** What the colours mean, how smooth the boundary is, and where the other features are held. */
export function Side({ store, slice, settings, info, mark }: Props): JSX.Element {
  const theme = useTheme();
  return (
    <div class="db-side">
      <ul class="db-legend" aria-label="Legend">
        {settings.shown === null ? (
          slice.field.classes.map((value) => (
            <li key={value}>
              <i class="db-key" style={{ background: classColor(value) }} />
              <Name name={info.classes[value] ?? String(value)} max={26} />
            </li>
          ))
        ) : (
          <li class="db-scale">
            <span>probability of {info.classes[settings.shown]}</span>
            <i style={{ background: gradient(sequential(theme)) }} />
            <span class="db-ends">
              <span>0</span>
              <span>1</span>
            </span>
          </li>
        )}
        <li class="nbd-muted">
          <i class="db-key db-far" />
          no samples near
        </li>
        <li class="nbd-muted">
          <i class="db-key db-line" />
          boundary of the model
        </li>
        {settings.control && (
          <li class="nbd-muted">
            <i class="db-key db-control" />
            boundary of the smooth control
          </li>
        )}
        {settings.points && (
          <li class="nbd-muted">
            <i class="db-sign">●</i>
            {info.labelled ? "sample, by true class" : "sample, by predicted class"}
          </li>
        )}
        {settings.points && info.labelled && (
          <li class="nbd-muted">
            <i class="db-sign">◆</i>
            predicted wrong
          </li>
        )}
        {settings.points && info.features.length > 2 && (
          <li class="nbd-muted db-hint">faint: differs in the features that are held</li>
        )}
      </ul>
      {slice.roughness && <Smooth roughness={slice.roughness} />}
      {mark && (
        <div class="db-box" role="status">
          <p>{sampleText(slice, info, mark)}</p>
          {info.features.length > 2 && slice.hold !== mark.row && (
            <Button onClick={() => store.cut({ hold: mark.row })}>
              Hold the others as in this sample
            </Button>
          )}
        </div>
      )}
      {slice.held.length > 0 && (
        <div class="db-box">
          <p class="nbd-muted">
            {slice.hold === "typical" ? "Held at medians" : `Held as in sample ${slice.hold}`}
          </p>
          <dl class="db-held">
            {slice.held.map(([name, value]) => (
              <div key={name}>
                <dt>
                  <Name name={name} max={20} />
                </dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </div>
  );
}

/** Needless flips of the model's answer beside those of the control, on one scale. */
function Smooth({ roughness }: { roughness: NonNullable<Slice["roughness"]> }): JSX.Element {
  const most = Math.max(roughness.flips, roughness.control, 1);
  const rows = [
    { name: "model", flips: roughness.flips },
    { name: "smooth control", flips: roughness.control },
  ];
  return (
    <div
      class="db-box"
      title="Straight walks between places near samples: how often the answer changes beyond what the two ends need"
    >
      <p class="nbd-muted">Needless flips a walk</p>
      {rows.map(({ name, flips }) => (
        <div key={name} class="db-bar">
          <span>{name}</span>
          <i style={{ "--share": flips / most }} />
          <b>{flips < 0.005 ? "0" : number(flips, 2)}</b>
        </div>
      ))}
    </div>
  );
}
