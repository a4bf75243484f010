import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  /** Where it points, in CSS pixels of the nearest positioned ancestor. */
  x: number;
  y: number;
  children: ComponentChildren;
}

/** A small box beside the pointer that never leaves the widget and never catches the pointer. */
export function Tooltip({ x, y, children }: Props): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const el = ref.current;
    const frame = el?.offsetParent;
    if (!el || !frame) return;
    const left = x + 14 + el.offsetWidth > frame.clientWidth ? x - 14 - el.offsetWidth : x + 14;
    const top = Math.min(y + 12, frame.clientHeight - el.offsetHeight - 2);
    el.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
  });
  return (
    <div ref={ref} class="nbd-tooltip" role="tooltip">
      {children}
    </div>
  );
}
