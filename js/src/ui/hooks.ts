import { createContext, type RefObject } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Store } from "../wire";
import type { Theme } from "./palette";

interface RootInfo {
  el: HTMLElement;
  theme: Theme;
}

export const RootContext = createContext<RootInfo | null>(null);

function useRootInfo(): RootInfo {
  const info = useContext(RootContext);
  if (!info) throw new Error("used outside a widget");
  return info;
}

/** The widget's root element (class nbdiag). */
export function useRoot(): HTMLElement {
  return useRootInfo().el;
}

export function useTheme(): Theme {
  return useRootInfo().theme;
}

/** The store's value; draws again at most once a frame however often it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, tick] = useState(0);
  useEffect(() => {
    let frame = 0;
    const stop = store.subscribe(() => {
      if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          tick((n) => n + 1);
        });
      }
    });
    tick((n) => n + 1); // what changed between the first draw and this subscription
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [store]);
  return store.value;
}

/** Stable data-* marks on the root, which browser tests read. A null removes the mark. */
export function useRootData(data: Record<string, string | number | boolean | null>): void {
  const root = useRoot();
  useLayoutEffect(() => {
    for (const [key, value] of Object.entries(data)) {
      if (value === null) delete root.dataset[key];
      else root.dataset[key] = String(value);
    }
  });
}

/** The content size of an element in CSS pixels, 0 x 0 until it is laid out. */
export function useSize<E extends HTMLElement>(): [
  RefObject<E>,
  { width: number; height: number },
] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = el;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

export function useReducedMotion(): boolean {
  const query = "(prefers-reduced-motion: reduce)";
  const [reduced, setReduced] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const controller = new AbortController();
    const list = matchMedia(query);
    list.addEventListener("change", () => setReduced(list.matches), { signal: controller.signal });
    return () => controller.abort();
  }, []);
  return reduced;
}

/** A signal that aborts when the component goes: give it to every listener and request. */
export function useAbort(): AbortSignal {
  const ref = useRef<AbortController | null>(null);
  ref.current ??= new AbortController();
  useEffect(() => () => ref.current?.abort(), []);
  return ref.current.signal;
}
