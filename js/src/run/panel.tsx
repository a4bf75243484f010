import type { ComponentProps, JSX } from "preact";
import { count, Empty, Panel, plural, stateWith, useStore } from "../ui";
import type { Connection } from "../wire";
import type { BaseInfo, RunStore } from "./store";

type Own = "title" | "source" | "state" | "findings" | "failures" | "error" | "onDismiss";

interface Props<I extends BaseInfo> extends Omit<ComponentProps<typeof Panel>, Own> {
  store: RunStore<I>;
  connection: Connection;
}

/** The frame of a view of a run: what it is, its state and findings are the store's. */
export function RunPanel<I extends BaseInfo>(props: Props<I>): JSX.Element {
  const { store, connection, ...rest } = props;
  const { title, source } = useStore(store.info);
  const live = useStore(store.live);
  const link = useStore(connection.link);
  const status = live.step > 0 ? `step ${count(live.step)}` : null;
  return (
    <Panel
      status={status}
      {...rest}
      title={title}
      source={source}
      state={stateWith(link, live.state)}
      findings={useStore(store.findings)}
      failures={useStore(store.failures)}
      error={useStore(store.error)}
      onDismiss={() => store.error.set(null)}
    />
  );
}

/** In place of a picture of L layers before the first sample. */
export function NoStep({ ended, layers }: { ended: boolean; layers: number }): JSX.Element {
  return (
    <Empty
      title={ended ? "The run ended without a step" : "Waiting for the first optimizer.step()"}
      text={`${plural(layers, "layer")} are being watched. The picture starts with the first step that is sampled.`}
    />
  );
}
