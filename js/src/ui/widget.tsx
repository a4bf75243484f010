import { type ComponentType, render as draw } from "preact";
import {
  Connection,
  type InitializeProps,
  listen,
  type Model,
  type RenderProps,
  Requests,
  Store,
  type WidgetDefinition,
} from "../wire";
import { RootContext } from "./hooks";
import { watchTheme } from "./theme";
import "./ui.css";
import "./controls.css";

/** What a model-level store is made from. The signal aborts when the model goes. */
export interface Context {
  model: Model;
  requests: Requests;
  connection: Connection;
  signal: AbortSignal;
}

export interface ViewProps<S> extends Context {
  store: S;
}

interface Spec<S> {
  /** The stem: gradient_flow. */
  name: string;
  /** Made once a model, so that a second view shows the same. */
  createStore(context: Context): S;
  View: ComponentType<ViewProps<S>>;
}

/**
 * Keys pressed in the widget stay in it: else `b` on a focused button inserts a cell. JupyterLab's
 * selectors end in `:focus`, so the mark must be on the focused element itself.
 */
function keepKeys(root: HTMLElement, signal: AbortSignal): void {
  const mark = (element: HTMLElement) => {
    element.dataset.lmSuppressShortcuts = "true";
  };
  mark(root);
  root.addEventListener("focusin", (event) => mark(event.target as HTMLElement), { signal });
}

/**
 * The default export of a bundle: a factory that anywidget calls once a model, because the
 * proxies that `initialize` and `render` receive are different objects for the same model.
 */
export function defineWidget<S>({ name, createStore, View }: Spec<S>): () => WidgetDefinition {
  return () => {
    let shared: ViewProps<S> | undefined;
    /** Part of a dashboard, which shows the findings and the controls once for all. */
    const embedded = new Store(false);
    return {
      initialize({ model, signal }: InitializeProps): void {
        const connection = new Connection(model, signal);
        const requests = new Requests(model, signal, () => connection.idle);
        connection.link.subscribe(() => {
          if (connection.link.value === "disconnected") requests.fail("the kernel has gone");
        }, signal);
        const embed = () => embedded.set(model.get("embedded") === true);
        embed();
        listen(model, "change:embedded", embed, signal);
        const context = { model, signal, requests, connection };
        shared = { ...context, store: createStore(context) };
      },
      render({ el, signal }: RenderProps): void {
        if (!shared) throw new Error("nbdiag: render was called before initialize");
        const props = shared;
        const root = document.createElement("section");
        root.className = "nbdiag";
        root.dataset.view = name;
        const embed = () => {
          root.dataset.embedded = String(embedded.value);
        };
        embed();
        embedded.subscribe(embed, signal);
        keepKeys(root, signal);
        el.append(root);
        props.connection.look(el);
        watchTheme(
          root,
          (theme) => {
            root.dataset.theme = theme;
            draw(
              <RootContext.Provider value={{ el: root, theme }}>
                <View {...props} />
              </RootContext.Provider>,
              root,
            );
          },
          signal,
        );
        signal.addEventListener(
          "abort",
          () => {
            draw(null, root);
            root.remove();
          },
          { once: true },
        );
      },
    };
  };
}
