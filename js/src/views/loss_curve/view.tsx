import type { JSX } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { AxisLabel, probeCost, RunPanel, stepTicks } from "../../run";
import {
  Canvas,
  count,
  Empty,
  keys,
  number,
  plural,
  type State,
  stateWith,
  Tooltip,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import type { ScaleKind } from "./axis";
import { Commands } from "./commands";
import { Detail } from "./detail";
import { placesOf } from "./findings";
import { type Group, groupsOf } from "./groups";
import { Labels } from "./labels";
import { Legend } from "./legend";
import { GUTTER, paint, RIGHT } from "./paint";
import { type Picture, pictureOf, REACHES, USUAL_REACH } from "./picture";
import type { CurveStore } from "./store";

const HEIGHT = 260;
const LABEL = 22;
const TRAIN_MODE =
  "The training loss is an average in train mode, dropout on, while the weights move; validation " +
  "comes after, in eval mode. Training above validation is no sign of underfitting.";

interface Hover {
  step: number;
  x: number;
  y: number;
}

export function View({ store, requests, connection }: ViewProps<CurveStore>): JSX.Element {
  const live = useStore(store.live);
  const tracks = useStore(store.tracks);
  const link = useStore(connection.link);
  const findings = useStore(store.findings);
  const [metric, setMetric] = useState("loss");
  const [scale, setScale] = useState<ScaleKind | null>(null);
  const [reach, setReach] = useState(USUAL_REACH);
  const [hover, setHover] = useState<Hover | null>(null);
  const [step, setStep] = useState<number | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [frame, { width }] = useSize<HTMLDivElement>();

  const plot = Math.max(0, width - GUTTER - RIGHT);
  const groups = useMemo(() => groupsOf(tracks.all()), [tracks, tracks.version]);
  const group = groups.find(({ name }) => name === metric) ?? groups[0];
  const picture = useMemo(
    () => pictureOf(group, plot, scale, reach),
    [group, plot, scale, reach, tracks.version],
  );
  const isLoss = group?.name === "loss";
  const places = useMemo(
    () => (picture && isLoss ? placesOf(findings, picture.first, picture.last, plot) : []),
    [findings, picture, isLoss, plot],
  );
  const draw = useCallback(picture ? paint(picture, places, chosen) : () => {}, [
    picture,
    places,
    chosen,
  ]);
  const state: State = stateWith(link, live.state);
  const points = group?.members.reduce((sum, { track }) => sum + track.next, 0) ?? 0;
  const marked = step ?? hover?.step ?? null;
  const lanes = places.reduce((most, { lane }) => Math.max(most, lane + 1), 0);
  const some = groups.length > 0;

  useRootData({
    state,
    points,
    metric: group?.name ?? "",
    series: group?.members.map(({ track }) => track.name).join(" ") ?? "",
    scale: picture?.axis.kind ?? "",
    spikes: picture?.layers.reduce((sum, layer) => sum + layer.spikes.length, 0) ?? 0,
    step: picture?.last ?? 0,
    ready: width > 0 ? true : null,
  });

  const place = (s: number) => (picture ? (s - picture.first) / (picture.last - picture.first) : 0);
  const over = reachText(picture, reach);
  const move = (by: number) => {
    const cells = picture?.layers[0]?.cells;
    if (!cells || cells.length === 0) return;
    const at = cells.steps.findIndex((s, i) => i < cells.length && s >= (step ?? picture.last));
    const from = at < 0 ? cells.length - 1 : at;
    const next = Math.min(cells.length - 1, Math.max(0, step === null ? from : from + by));
    setStep(Math.round(cells.steps[next] as number));
  };
  const onKey = keys({
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    Home: () => picture && setStep(picture.first),
    End: () => picture && setStep(picture.last),
    Escape: () => {
      setStep(null);
      setChosen(null);
    },
  });
  const onPointer = (event: PointerEvent, x: number, y: number) => {
    if (!picture) return;
    const at = Math.min(1, Math.max(0, (x - GUTTER) / plot));
    const pointed = Math.round(picture.first + at * (picture.last - picture.first));
    if (event.type === "pointerdown") setStep(step === pointed ? null : pointed);
    setHover({ step: pointed, x, y: y + lanes * LABEL });
  };

  return (
    <RunPanel
      store={store}
      connection={connection}
      status={statusOf(live.step, group, picture)}
      note={isLoss && hasBoth(group) ? TRAIN_MODE : null}
      controls={
        <Commands
          store={store}
          pending={requests.pending}
          connected={link === "live"}
          groups={groups}
          metric={group?.name ?? "loss"}
          onMetric={setMetric}
          scale={picture?.axis.kind ?? "linear"}
          signed={picture?.signed ?? false}
          onScale={setScale}
          reach={reach}
          over={over}
          smooths={picture?.layers.some(({ dense }) => dense) ?? false}
          onReach={setReach}
        />
      }
      foot={[
        plural(live.step, "step"),
        points > 0 && `${plural(points, "value")} of ${group?.name}`,
        picture?.signed && picture.axis.kind === "log" && "values at or below 0 are not drawn",
        probeCost(live),
      ]}
    >
      <div ref={frame} class="lc">
        {!some || !picture || !group ? (
          <Nothing state={live.state} step={live.step} />
        ) : (
          <>
            <div class="lc-title">
              {group.name} {isLoss ? "" : <small>by optimizer step</small>}
            </div>
            <Labels
              places={places}
              picture={picture}
              width={plot}
              height={lanes * LABEL}
              chosen={chosen}
              onChoose={(code) => setChosen(code === chosen ? null : code)}
            />
            <div
              class="lc-plot"
              role="group"
              tabIndex={0}
              aria-label={spoken(group, picture)}
              onKeyDown={onKey}
            >
              <Canvas
                draw={draw}
                height={HEIGHT}
                label={spoken(group, picture)}
                onPointer={onPointer}
                onLeave={() => setHover(null)}
              />
              {marked !== null && plot > 0 && (
                <span class="lc-cursor" style={{ left: `${GUTTER + place(marked) * plot}px` }} />
              )}
            </div>
            <div class="nbd-axis" style={{ margin: `4px ${RIGHT}px 0 ${GUTTER}px` }}>
              <div class="nbd-axis-labels">
                {stepTicks(picture.first, picture.last, Math.max(2, plot / 90)).map((s) => (
                  <AxisLabel key={s} at={place(s)} width={plot} text={count(s)} />
                ))}
              </div>
              <div class="lc-xtitle">optimizer step</div>
            </div>
            <Legend group={group} picture={picture} over={over} />
            {!isLoss && !groups.some(({ name }) => name === "loss") && (
              <p class="nbd-note">No loss was logged. {HOW}</p>
            )}
            {step !== null && (
              <div class="lc-detail" role="status">
                <Detail group={group} picture={picture} step={step} />
              </div>
            )}
          </>
        )}
        {hover && picture && group && (
          <Tooltip x={hover.x} y={hover.y}>
            <Detail group={group} picture={picture} step={hover.step} />
          </Tooltip>
        )}
      </div>
    </RunPanel>
  );
}

const HOW =
  "Pass the loss module to nd.watch(model, optimizer, loss_fn), or call run.log(loss=loss) in the loop.";

function Nothing({ state, step }: { state: string; step: number }): JSX.Element {
  const over = state === "done";
  const title = over
    ? "No loss was logged"
    : step > 0
      ? "No loss yet"
      : "Waiting for the first loss";
  return (
    <Empty
      title={step > 0 && !over ? `${title} after ${plural(step, "step")}` : title}
      text={HOW}
    />
  );
}

function hasBoth(group: Group): boolean {
  const roles = new Set(group.members.map(({ role }) => role));
  return roles.has("val") && (roles.has("train") || roles.has("step"));
}

/** The newest number of each series: smoothed where it is noisy. */
function statusOf(step: number, group: Group | undefined, picture: Picture | null): string | null {
  if (step === 0 && !picture) return null;
  const parts = [`step ${count(step)}`];
  for (const [k, member] of (group?.members ?? []).entries()) {
    const layer = picture?.layers[k];
    if (!layer || member.role === "test" || layer.cells.length === 0) continue;
    const newest = layer.cells.length - 1;
    const value =
      layer.cells.bad[newest] && Number.isNaN(layer.smoothed[newest])
        ? Number.NaN
        : (layer.smoothed[newest] as number);
    const word = { step: group?.name, train: "train", val: "val", test: "" }[member.role];
    if (member.role !== "train" || !group?.members.some(({ role }) => role === "step")) {
      parts.push(`${word} ${number(value)}`);
    }
  }
  return parts.join(" · ");
}

function reachText(picture: Picture | null, reach: number): string {
  const share = REACHES[reach] ?? 0;
  if (share === 0 || !picture?.layers.some(({ dense }) => dense)) return "";
  return plural(Math.max(1, Math.round(2 * share * (picture.last - picture.first))), "step");
}

function spoken(group: Group, picture: Picture): string {
  const parts = group.members.map(({ track }) => {
    const value = track.values[track.length - 1] as number;
    return `${track.name} ${number(track.values[0] as number)} to ${number(value)}`;
  });
  return `${group.name} from step ${count(picture.first)} to ${count(picture.last)}: ${parts.join("; ")}`;
}
