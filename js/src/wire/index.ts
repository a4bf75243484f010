export {
  type Bytes,
  DecodeError,
  decodeArray,
  decodeAs,
  type NDArray,
  type TypedArray,
} from "./arrays";
export { Connection, type Link } from "./connection";
export {
  type InitializeProps,
  listen,
  type Model,
  type RenderProps,
  type WidgetDefinition,
} from "./model";
export { DEFERRED, type Pending, type Reply, RequestError, Requests } from "./requests";
export { Store } from "./store";
