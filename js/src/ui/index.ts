export { Canvas, type Draw, type Pane } from "./canvas";
export { Button, type Option, Segmented, Select, Slider } from "./controls";
export { type Failure, type Finding, Findings, readFailures, readFindings } from "./findings";
export { count, number, percent, plural, power, short, shorten, shortenAll } from "./format";
export {
  useAbort,
  useReducedMotion,
  useRoot,
  useRootData,
  useSize,
  useStore,
  useTheme,
} from "./hooks";
export { Icon, type IconName } from "./icons";
export { isTyping, keys } from "./keyboard";
export { Name } from "./name";
export * from "./palette";
export { Deferred, Empty, Panel, type State, stateWith } from "./panel";
export { Tooltip } from "./tooltip";
export { type Context, defineWidget, type ViewProps } from "./widget";
