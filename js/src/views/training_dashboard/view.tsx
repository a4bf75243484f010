import type { JSX } from "preact";
import { RunCommands, RunPanel, runFoot } from "../../run";
import {
  plural,
  type State,
  stateWith,
  useReducedMotion,
  useRoot,
  useRootData,
  useSize,
  useStore,
  type ViewProps,
} from "../../ui";
import type { VitalsStore } from "./store";
import { Tile } from "./tile";

const PART: Record<string, string> = {
  loss: "loss_curve",
  gradients: "gradient_flow",
  activations: "activation_stats",
  weights: "weight_distribution",
};

/** The part of this dashboard that shows a pillar: the nearest one in the page. */
export function partOf(root: HTMLElement, name: string): Element | null {
  const wanted = `[data-view="${PART[name]}"][data-embedded="true"]`;
  for (let box = root.parentElement; box; box = box.parentElement) {
    const found = box.querySelector(wanted);
    if (found) return found;
  }
  return null;
}

export function View({ store, requests, connection }: ViewProps<VitalsStore>): JSX.Element {
  const live = useStore(store.live);
  const vitals = useStore(store.vitals);
  const link = useStore(connection.link);
  const findings = useStore(store.findings);
  const root = useRoot();
  const still = useReducedMotion();
  const [frame, { width }] = useSize<HTMLDivElement>();
  const state: State = stateWith(link, live.state);
  const open = (name: string) =>
    partOf(root, name)?.scrollIntoView({
      block: "nearest",
      behavior: still ? "auto" : "smooth",
    });

  useRootData({
    state,
    step: live.step,
    findings: findings.length,
    ready: width > 0 ? true : null,
  });

  return (
    <RunPanel
      store={store}
      connection={connection}
      controls={
        <>
          <span class="nbd-muted">
            {findings.length > 0
              ? plural(findings.length, "finding")
              : live.samples > 0
                ? "Nothing found so far"
                : "Waiting for the first optimizer.step()"}
          </span>
          <RunCommands store={store} pending={requests.pending} connected={link === "live"} />
        </>
      }
      foot={runFoot(live)}
    >
      <div ref={frame} class="td">
        {vitals.map((vital) => (
          <Tile
            key={vital.name}
            vital={vital}
            findings={findings.filter(({ code }) => code.startsWith(vital.code))}
            waiting={live.step === 0}
            onOpen={() => open(vital.name)}
          />
        ))}
      </div>
    </RunPanel>
  );
}
