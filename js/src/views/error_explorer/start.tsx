import { useState } from "preact/hooks";
import { Button, count, plural } from "../../ui";
import type { Shown } from "./matrix_paint";
import type { Explorer } from "./store";
import type { Info, SampleList } from "./types";

interface Props {
  explorer: Explorer;
  info: Info;
  lists: readonly SampleList[];
  shown: Shown;
  busy: boolean;
}

/** Before a cell is open: what there is to look at, what is most worth a look first. */
export function Start({ explorer, info, lists, shown, busy }: Props) {
  const plain = lists.filter((list) => list.group !== "cluster");
  const clusters = lists.filter((list) => list.group === "cluster");
  const errors = lists.find((list) => list.key === "errors")?.count ?? 0;
  const [none, setNone] = useState(false);
  const group = async () => {
    try {
      const { result } = await explorer.ask<{ clusters: number }>("clusters");
      setNone(result.clusters === 0);
    } catch (error) {
      explorer.report(error);
    }
  };
  return (
    <div class="ex-start">
      <div class="ex-invite">
        <p>Click a cell to see its samples</p>
        <p class="nbd-muted">
          {shown === "change"
            ? "Blue cells are better than with the baseline, red ones worse."
            : "Coloured cells are errors; the grey diagonal is what was predicted correctly."}
        </p>
      </div>
      {errors > 0 && (
        <section aria-label="Where to start">
          <h3>Or start with</h3>
          <ul>
            {plain.map((list) => (
              <Entry key={list.key} list={list} onOpen={() => explorer.open(list.key)} />
            ))}
          </ul>
        </section>
      )}
      {clusters.length > 0 && (
        <section aria-label="Groups of errors">
          <h3>
            Groups of errors <span class="nbd-muted ex-hint">{info.clusters}</span>
          </h3>
          <ul>
            {clusters.map((list) => (
              <Entry key={list.key} list={list} onOpen={() => explorer.open(list.key)} />
            ))}
          </ul>
        </section>
      )}
      {clusters.length === 0 && info.clusters && errors > 1 && (
        <p>
          {none ? (
            <span class="nbd-muted">No groups stand out among the most confident errors.</span>
          ) : (
            <>
              <Button disabled={busy} onClick={() => void group()}>
                Group the worst errors
              </Button>{" "}
              <span class="nbd-muted">{info.clusters}</span>
            </>
          )}
        </p>
      )}
    </div>
  );
}

function Entry({ list, onOpen }: { list: SampleList; onOpen: () => void }) {
  return (
    <li>
      <button
        type="button"
        class="ex-entry"
        data-list={list.key}
        disabled={list.count === 0}
        aria-label={`${list.title}, ${plural(list.count, "sample")}`}
        onClick={onOpen}
      >
        <span class="ex-entry-title">{list.title}</span>
        <span class="ex-entry-count">{count(list.count)}</span>
        <span class="nbd-muted ex-entry-text">{list.text}</span>
      </button>
    </li>
  );
}
