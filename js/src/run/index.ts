import "./run.css";

export { AxisLabel, StepAxis, stepTicks } from "./axis";
export { PlaybackButtons, RunCommands } from "./commands";
export { probeCost, runFoot } from "./foot";
export { type Every, type Live, num, readLive, record } from "./live";
export { NoStep, RunPanel } from "./panel";
export { type Playback, type Timeline, usePlayback } from "./playback";
export { type Answer, useReply } from "./reply";
export { type BaseInfo, RunStore } from "./store";
export { wordOf } from "./words";
