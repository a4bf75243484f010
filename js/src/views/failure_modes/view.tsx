import { share } from "../../slices";
import {
  Empty,
  keys,
  Panel,
  plural,
  stateWith,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import { Bars } from "./bars";
import { Detail } from "./detail";
import type { ModeStore } from "./store";
import "./style.css";

/** From this width on the chosen category stands beside the bars. */
const WIDE = 980;

export function View({ store, connection, requests }: ViewProps<ModeStore>) {
  const info = useStore(store.info);
  const modes = useStore(store.modes);
  const overlap = useStore(store.overlap);
  const chosen = useStore(store.chosen);
  const detail = useStore(store.detail);
  const findings = useStore(store.findings);
  const failures = useStore(store.failures);
  const error = useStore(store.error);
  const link = useStore(connection.link);
  const pending = useStore(requests.pending);
  const [frame, { width }] = useSize<HTMLDivElement>();
  const state = stateWith(link, pending.length > 0 ? "busy" : "ready");
  useRootData({ ready: width > 0 ? true : null, state, selected: detail?.selected ?? null });

  const rest = modes.find((mode) => mode.rest);
  const known = (name: string) => modes.some((mode) => mode.name === name);
  return (
    <Panel
      title={info.title}
      state={state}
      status={
        <>
          {plural(info.errors, "error")} in {plural(info.samples, "sample")}
        </>
      }
      {...{ findings, failures, error }}
      onSubject={(name) => store.choose(name)}
      knows={known}
      onDismiss={() => store.error.set(null)}
      foot={[
        rest && info.errors > 0 && `${share(rest.share)} of the errors are in no category`,
        info.several > 0 && `${plural(info.several, "error")} in several categories`,
        info.nonfinite > 0 && `${plural(info.nonfinite, "answer")} not finite, counted as wrong`,
        "lift: error rate inside over that of all samples, with its 95 % interval",
      ]}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape clears wherever the focus is */}
      <div
        ref={frame}
        class={`fm-frame${width >= WIDE ? " fm-wide" : ""}`}
        onKeyDown={keys({ Escape: () => store.choose(null) })}
      >
        <div class="fm-main">
          {modes.length > 0 ? (
            <Bars {...{ modes, chosen }} onChoose={(name) => store.choose(name)} />
          ) : (
            <Empty title="No categories" />
          )}
        </div>
        <div class="fm-side">
          <Detail
            mode={modes.find(({ name }) => name === chosen) ?? null}
            {...{ detail, info, modes, overlap, pending }}
            onChoose={(name) => store.choose(name)}
          />
        </div>
      </div>
    </Panel>
  );
}
