import { useEffect, useId, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Button, keys, Select, useSize, useStore } from "../../ui";
import type { Pending } from "../../wire";
import { fullColour } from "./cam";
import { CamControls } from "./cam_controls";
import { Card, overlayState } from "./card";
import type { Confusion } from "./confusion";
import { Detail } from "./detail";
import { moveCard } from "./keys";
import { type Loaded, Pages } from "./pages";
import { cardsInView, type Grid, makeGrid, rowOffset, scrollToShow } from "./paging";
import type { Over } from "./picture";
import { SelectionLine } from "./selection_line";
import type { Explorer } from "./store";
import { type Info, isCell, NOT_FINITE, type Place } from "./types";
import { describePlace, ORDER_WORDS } from "./words";

const CARD_WIDTH = { image: 152, tabular: 220, text: 250, none: 152 };
const CONTENT_HEIGHT = { image: 0, tabular: 96, text: 104, none: 0 };
const GAP = 10;
const TEXT_HEIGHT = 76;
const SETTLE_MS = 80;

interface Props {
  explorer: Explorer;
  place: Place;
  matrix: Confusion;
  info: Info;
  pending: readonly Pending[];
}

/** Samples of one place. Give it a new key for a new place. */
export function Gallery({ explorer, place, matrix, info, pending }: Props) {
  const lists = useStore(explorer.lists);
  const notes = useStore(explorer.notes);
  const words = describePlace(place, matrix, info.classes, lists);
  const [order, setOrder] = useState<string | null>(null);
  const [pages, tick] = usePages(explorer, place, order);
  const selection = useStore(explorer.selection);
  const overlays = useStore(explorer.overlays);
  const settings = useStore(explorer.settings);
  const [scroller, size] = useSize<HTMLDivElement>();
  const [scrollTop, setScrollTop] = useState(0);
  const [current, setCurrent] = useState(0);
  const [detail, setDetail] = useState<number | null>(null);
  const id = useId();

  const total = pages.total ?? explorer.size(place) ?? 1;
  const pictures = info.pictures.kind === "image";
  const { kind } = info.pictures;
  const least = CARD_WIDTH[kind];
  const columns = Math.max(1, Math.floor((size.width + GAP) / (least + GAP)));
  const width = Math.floor((size.width + GAP) / columns) - GAP;
  const rowHeight = (pictures ? width : CONTENT_HEIGHT[kind]) + TEXT_HEIGHT + GAP;
  const grid = makeGrid(total, columns, size.height, rowHeight);
  const seen = cardsInView(grid, scrollTop);
  const drawn = cardsInView(grid, scrollTop, 1);

  const reason = overlayReason(info, place);
  const withOverlay = settings.overlay && reason === null;
  const shared = overlays.peakOf(pages.ids(), settings.target);
  const overOf = (loaded: Loaded | undefined): Over | null => {
    const cam = loaded && overlays.get(loaded.sample.id, settings.target);
    if (!cam) return null;
    const full = fullColour(cam, settings.scale, shared.peak);
    return { cam, full, opacity: settings.opacity };
  };

  useEffect(() => {
    if (size.height === 0 || total === 0) return;
    const want = () => pages.want(detail === null ? drawn : { start: detail, stop: detail + 2 });
    if (pages.total === null) {
      want();
      return;
    }
    const timer = setTimeout(want, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [pages, drawn.start, drawn.stop, detail, size.height, total, tick]);

  const open = detail === null ? undefined : pages.at(detail);
  useEffect(() => {
    if (reason !== null) return;
    const ids = open ? [open.sample.id] : [];
    if (withOverlay) {
      for (let i = seen.start; i < seen.stop; i++) {
        const loaded = pages.at(i);
        if (loaded && loaded !== open) ids.push(loaded.sample.id);
      }
    }
    overlays.show(ids, settings.target);
  }, [pages, seen.start, seen.stop, open, withOverlay, settings.target, tick]);
  // What has been scrolled away or closed is not worth a computation any more.
  useEffect(() => () => overlays.show([], "predicted"), [overlays]);

  const goTo = (index: number) => {
    setCurrent(index);
    const el = scroller.current;
    if (el) el.scrollTop = scrollToShow(grid, index, el.scrollTop);
  };
  const move = (event: KeyboardEvent) => {
    const rows = Math.floor(size.height / rowHeight);
    const next = moveCard(current, event.key, grid.columns, total, rows);
    if (next !== null) goTo(next);
  };
  const toggle = (index: number) => {
    const loaded = pages.at(index);
    if (loaded) selection.toggle(loaded.sample.row);
  };
  const reorder = (next: string) => {
    setOrder(next);
    setDetail(null);
    goTo(0);
  };
  const show = (index: number) => {
    goTo(index);
    setDetail(index);
  };
  const onKeyDown = keys({
    ArrowLeft: move,
    ArrowRight: move,
    ArrowUp: move,
    ArrowDown: move,
    Home: move,
    End: move,
    PageUp: move,
    PageDown: move,
    " ": () => toggle(current),
    Enter: () => total > 0 && setDetail(current),
    Escape: () => explorer.clear(),
  });
  const backToCards = () => {
    setDetail(null);
    scroller.current?.focus({ preventScroll: true });
  };
  const waiting = pending.find((r) => r.deferred && r.name !== "select");
  const cards: number[] = [];
  for (let i = drawn.start; i < drawn.stop; i++) cards.push(i);
  return (
    <section class="ex-gallery" aria-label={words.sentence} data-gallery="" data-total={total}>
      <div class="ex-heading">
        <h3>{words.sentence}</h3>
        <Button
          icon="close"
          label="Close the gallery (Escape)"
          quiet
          onClick={() => explorer.clear()}
        />
      </div>
      {words.text && <p class="nbd-muted">{words.text}</p>}
      <div class="ex-lines">
        <SelectionLine selection={selection} pending={pending} onClear={() => selection.clear()} />
        {total > 1 && words.orders.length > 1 && (
          <Select
            label="Order"
            value={order ?? words.orders[0] ?? ""}
            options={words.orders.map((value) => ({
              value,
              text: value === "own" ? words.own : (ORDER_WORDS[value] ?? value),
            }))}
            onChange={reorder}
          />
        )}
        {total > 1 && words.orders.length === 1 && <span class="nbd-muted">{words.own}</span>}
      </div>
      {total > 0 && (pictures || info.overlay.available) && (
        <CamControls
          {...{ settings, reason, shared }}
          onChange={(change) => explorer.change(change)}
        />
      )}
      {kind === "none" && total > 0 && (
        <p class="nbd-muted">
          Nothing to see of a sample: {info.pictures.reason ?? "the inputs are not known"}.
        </p>
      )}
      {waiting && (
        <p class="nbd-deferred" role="status">
          The kernel is busy: {waiting.name === "overlay" ? "overlays" : "samples"} follow as soon
          as it is free.
        </p>
      )}
      {pages.hasFailed && (
        <Button onClick={() => pages.retry()}>Ask again for the missing samples</Button>
      )}
      {withOverlay && overlays.failures > 0 && (
        <Button onClick={() => overlays.retry()}>Try the missing overlays again</Button>
      )}
      <div class="ex-stage">
        <div
          ref={scroller}
          class="ex-scroller"
          role="listbox"
          aria-multiselectable="true"
          aria-label="Samples"
          aria-activedescendant={pages.at(current) ? `${id}-${current}` : undefined}
          tabIndex={0}
          data-scroller=""
          data-loading={pages.busy}
          onKeyDown={onKeyDown}
          onClick={(event) => {
            const card = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
            if (card) show(Number(card.dataset.index));
          }}
          onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        >
          {total === 0 && <p class="ex-none nbd-muted">No samples here.</p>}
          <div class="ex-list" style={{ height: `${Math.max(0, grid.scrollHeight - GAP)}px` }}>
            {cards.map((index) => {
              const loaded = pages.at(index);
              const style = placeOf(grid, index, width, rowHeight, scrollTop);
              if (!loaded) return <div key={index} class="ex-card ex-blank" style={style} />;
              const over = withOverlay ? overOf(loaded) : null;
              const failed = overlays.hasFailed(loaded.sample.id, settings.target);
              return (
                <Card
                  key={index}
                  {...{ loaded, index, width, kind, style, over }}
                  note={notes.get(loaded.sample.row)}
                  id={`${id}-${index}`}
                  classes={info.classes}
                  overlay={withOverlay ? overlayState(over, failed) : undefined}
                  selected={selection.has(loaded.sample.row)}
                  editable={selection.editable}
                  focused={index === current}
                  onToggle={() => {
                    setCurrent(index);
                    toggle(index);
                  }}
                />
              );
            })}
          </div>
        </div>
        {detail !== null && (
          <Detail
            {...{ explorer, place, total, info, settings, selection, notes }}
            index={detail}
            loaded={open}
            over={overOf(open)}
            failed={open ? overlays.hasFailed(open.sample.id, settings.target) : false}
            reason={reason}
            onMove={show}
            onClose={backToCards}
          />
        )}
      </div>
    </section>
  );
}

function usePages(explorer: Explorer, place: Place, order: string | null): [Pages, number] {
  const [tick, setTick] = useState(0);
  const pages = useMemo(
    () => new Pages(place, order, explorer.ask, () => setTick((n) => n + 1), explorer.report),
    [order],
  );
  useLayoutEffect(() => () => pages.close(), [pages]);
  return [pages, tick];
}

function placeOf(grid: Grid, index: number, width: number, rowHeight: number, scrollTop: number) {
  const row = Math.floor(index / grid.columns);
  return {
    transform: `translateY(${rowOffset(grid, row, scrollTop)}px)`,
    left: `${(index % grid.columns) * (width + GAP)}px`,
    width: `${width}px`,
    height: `${rowHeight - GAP}px`,
  };
}

function overlayReason(info: Info, place: Place): string | null {
  if (!info.overlay.available) return info.overlay.reason ?? "Grad-CAM is not available here.";
  if (isCell(place) && place[1] === NOT_FINITE)
    return "An output that is not finite cannot be explained.";
  return null;
}
