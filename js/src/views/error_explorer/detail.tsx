import { useEffect, useRef, useState } from "preact/hooks";
import { Button, count, keys, Name, number, plural, useAbort, useSize } from "../../ui";
import { OVERLAY_WORDS, overlayState } from "./card";
import { Note } from "./note";
import { type Loaded, pictureUrl } from "./pages";
import { type Over, PictureBox } from "./picture";
import type { Selection } from "./selection";
import { Content } from "./shown";
import type { Explorer, Settings } from "./store";
import { type Info, idKey, type Place, type SampleId, type ShownReply } from "./types";
import { objectWords, quote, share } from "./words";

interface Props {
  explorer: Explorer;
  place: Place;
  index: number;
  total: number;
  info: Info;
  settings: Settings;
  selection: Selection;
  notes: ReadonlyMap<number, string>;
  loaded: Loaded | undefined;
  over: Over | null;
  failed: boolean;
  /** Why there is no overlay; null where there is one. */
  reason: string | null;
  onMove: (index: number) => void;
  onClose: () => void;
}

const LARGEST = 360;
interface Size {
  width: number;
  height: number;
}

/** As large as leaves the likeliest classes in sight, below the pictures or beside them. */
export function pictureSide({ width, height }: Size): number {
  const below = Math.min((width - 20) / 2, height - 270);
  const beside = Math.min((width - 40 - 250) / 2, height - 120);
  return Math.floor(Math.max(130, Math.min(LARGEST, Math.max(below, beside))));
}

/** One sample, large: the picture, the picture with its map, the five likeliest classes. */
export function Detail(props: Props) {
  const { index, total, loaded, onMove, onClose, info, selection } = props;
  const [box, size] = useSize<HTMLDivElement>();
  const full = useFull(props.explorer, loaded, info.pictures.kind !== "none");
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  const go = (step: number) => () => {
    const next = index + step;
    if (next >= 0 && next < total) onMove(next);
  };
  const toggle = () => loaded && selection.toggle(loaded.sample.row);
  const onKeyDown = keys({
    ArrowLeft: go(-1),
    ArrowUp: go(-1),
    ArrowRight: go(1),
    ArrowDown: go(1),
    Home: go(-index),
    End: go(total - 1 - index),
    " ": toggle,
    Escape: onClose,
  });
  return (
    <div
      ref={box}
      class="ex-detail"
      role="dialog"
      aria-label={loaded ? `Sample ${loaded.sample.id}` : "Sample"}
      tabIndex={-1}
      data-detail={loaded ? String(loaded.sample.id) : ""}
      onKeyDown={onKeyDown}
    >
      <div class="ex-detail-bar">
        <Button onClick={onClose} title="Back to all samples (Escape)">
          {total === 1 ? "Back" : `All ${plural(total, "sample")}`}
        </Button>
        <span class="ex-field">
          <Button label="Previous sample" onClick={go(-1)} disabled={index === 0}>
            ‹
          </Button>
          <span>
            {count(index + 1)} of {count(total)}
          </span>
          <Button label="Next sample" onClick={go(1)} disabled={index >= total - 1}>
            ›
          </Button>
        </span>
        {loaded && (
          <label class="ex-field">
            <input
              type="checkbox"
              checked={selection.has(loaded.sample.row)}
              disabled={!selection.editable}
              onChange={toggle}
            />
            Selected
          </label>
        )}
        {loaded && total > 1 && (
          <Button
            onClick={() => void similar(props, loaded.sample.row)}
            title="The samples of this gallery, most similar to this one first"
          >
            Similar samples
          </Button>
        )}
      </div>
      {loaded ? (
        <Sample {...props} loaded={loaded} full={full} size={size} />
      ) : (
        <p class="nbd-muted">Loading…</p>
      )}
    </div>
  );
}

function Sample(props: Props & { loaded: Loaded; full: Full | null; size: Size }) {
  const { loaded, info, settings, over, failed, reason } = props;
  const { picture, shown } = props.full ?? loaded;
  const { sample } = loaded;
  const side = pictureSide(props.size);
  const state = reason === null ? overlayState(over, failed) : undefined;
  const explained = settings.target === "true" ? sample.true : sample.pred;
  const name = (c: number) => (c < 0 ? "nothing finite" : quote(info.classes[c] ?? ""));
  return (
    <>
      <p class="ex-verdict">
        id <b>{String(sample.id)}</b>: true {name(sample.true)} ({share(sample.p_true)}), predicted{" "}
        {name(sample.pred)} ({share(sample.p_pred)})
        {typeof sample.loss === "number" && <>, loss {number(sample.loss)}</>}
      </p>
      {typeof sample.suggested === "number" && (
        <p class="ex-suggested">
          The label may be wrong: perhaps it should be <b>{name(sample.suggested)}</b>. Look before
          you blame the model.
        </p>
      )}
      <div class="ex-detail-body">
        {(info.pictures.kind === "tabular" || info.pictures.kind === "text") && (
          <Content shown={shown} full />
        )}
        {info.pictures.kind === "image" && (
          <div class="ex-pair-of-pictures">
            <figure>
              <PictureBox
                picture={picture}
                width={side}
                height={side}
                label={`Sample ${sample.id}`}
                missing={shown.failed ?? "no picture"}
              />
              <figcaption>the input</figcaption>
            </figure>
            <figure data-overlay={state}>
              {state && (
                <>
                  <PictureBox
                    picture={picture}
                    width={side}
                    height={side}
                    label={`Sample ${sample.id} with its class activation map`}
                    over={over}
                    missing="no picture"
                  />
                  <figcaption>
                    evidence for {name(explained)}
                    {state === "ready" && over
                      ? `, peak ${number(over.cam.peak)}`
                      : state !== "ready" && `: ${OVERLAY_WORDS[state]}`}
                    {over?.cam.object && <>. {objectWords(over.cam.object)}</>}
                  </figcaption>
                </>
              )}
              {reason !== null && <figcaption>{reason}</figcaption>}
            </figure>
          </div>
        )}
        <Likeliest {...{ sample, info }} />
      </div>
      <Note
        key={sample.row}
        text={props.notes.get(sample.row) ?? ""}
        onWrite={(text) => void props.explorer.tell("note", { row: sample.row, text })}
      />
    </>
  );
}

async function similar({ explorer, place }: Props, row: number): Promise<void> {
  try {
    const { result } = await explorer.ask<{ list: string }>("similar", { row, place });
    explorer.open(result.list);
  } catch (error) {
    explorer.report(error);
  }
}

function Likeliest({ sample, info }: { sample: Loaded["sample"]; info: Info }) {
  return (
    <section class="ex-top" aria-label="Likeliest classes">
      <h3>Likeliest classes</h3>
      <ul>
        {sample.top.map(([c, p]) => {
          const kind = c === sample.pred ? "pred" : c === sample.true ? "true" : "other";
          return (
            <li key={c} class={`ex-${kind}`}>
              <span class="ex-top-name">
                <Name name={info.classes[c] ?? String(c)} max={28} />
              </span>
              <span class="ex-bar">
                <span style={{ width: `${100 * (Number.isFinite(p) ? p : 0)}%` }} />
              </span>
              <span class="ex-top-value">{share(p)}</span>
              <span class="ex-top-role">
                {[c === sample.pred && "predicted", c === sample.true && "true"]
                  .filter(Boolean)
                  .join(", ")}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

type Full = Pick<Loaded, "picture" | "shown">;

/** All there is to see of a sample once it is here; null until then. */
function useFull(explorer: Explorer, loaded: Loaded | undefined, wanted: boolean): Full | null {
  const [full, setFull] = useState<(Full & { id: string }) | null>(null);
  const held = useRef<Full | null>(null);
  const signal = useAbort();
  const id: SampleId | undefined = loaded?.sample.id;
  const key = id === undefined ? "" : idKey(id);
  const release = () => {
    if (held.current?.picture) URL.revokeObjectURL(held.current.picture.url);
    held.current = null;
  };
  useEffect(() => {
    if (!wanted || id === undefined || loaded?.shown.failed) return;
    let current = true;
    explorer
      .ask<ShownReply>("image", { id })
      .then(({ result: { image, ...shown }, buffers }) => {
        if (!current || signal.aborted) return;
        const next = { picture: pictureUrl(image, buffers), shown };
        release();
        held.current = next;
        setFull({ ...next, id: key });
      })
      .catch((error) => current && explorer.report(error));
    return () => {
      current = false;
    };
  }, [key, wanted]);
  useEffect(() => release, []);
  return full?.id === key ? full : null;
}
