/** The part of an anywidget model that the views use (anywidget 0.11). */
export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name: string, callback: (...args: never[]) => void): void;
  /** The ipywidgets manager. Only `wire/connection` looks inside, and never trusts its shape. */
  widget_manager?: unknown;
}

export interface InitializeProps {
  model: Model;
  signal: AbortSignal;
}

export interface RenderProps extends InitializeProps {
  el: HTMLElement;
}

export interface WidgetDefinition {
  initialize(props: InitializeProps): void;
  render(props: RenderProps): void;
}

/** Subscribes until `signal` aborts. The one way to listen to a model. */
export function listen<A extends unknown[]>(
  model: Model,
  event: string,
  callback: (...args: A) => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return;
  const handler = (...args: never[]) => callback(...(args as unknown as A));
  model.on(event, handler);
  signal.addEventListener("abort", () => model.off(event, handler), { once: true });
}
