/** What the widgets of subgroups and of kinds of errors share: shares with intervals, a selection. */

export { axisEnd, ticks } from "./axis";
export { SelectionLine } from "./selection";
export { Whisker } from "./whisker";
export { between, share } from "./words";

import "./slices.css";
