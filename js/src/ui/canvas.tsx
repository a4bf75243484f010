import { useLayoutEffect, useRef } from "preact/hooks";
import { useSize, useTheme } from "./hooks";
import type { Theme } from "./palette";

export interface Pane {
  width: number;
  height: number;
  /** Device pixels a CSS pixel. The context is already scaled: draw in CSS pixels. */
  ratio: number;
  theme: Theme;
  /** A colour of the page: `color("--nbd-muted")`. */
  color(token: string): string;
}

export type Draw = (context: CanvasRenderingContext2D, pane: Pane) => void;

interface Props {
  /** Give a new function when the picture changed. */
  draw: Draw;
  height: number;
  label: string;
  class?: string;
  onPointer?: (event: PointerEvent, x: number, y: number) => void;
  onLeave?: () => void;
}

/** A crisp canvas as wide as its place. It draws again on new data, a new size or a new theme. */
export function Canvas({ draw, height, label, class: name, onPointer, onLeave }: Props) {
  const [box, { width }] = useSize<HTMLDivElement>();
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const ratio = globalThis.devicePixelRatio || 1;
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context || width === 0 || height === 0) return;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const color = (token: string) => style.getPropertyValue(token).trim() || "#888";
    draw(context, { width, height, ratio, theme, color });
  }, [draw, width, height, theme, ratio]);
  const pointer = onPointer
    ? (event: PointerEvent) => {
        const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
        onPointer(event, event.clientX - rect.left, event.clientY - rect.top);
      }
    : undefined;
  return (
    <div ref={box} class={`nbd-canvas ${name ?? ""}`} style={{ height: `${height}px` }}>
      <canvas
        ref={ref}
        role="img"
        aria-label={label}
        onPointerDown={pointer}
        onPointerMove={pointer}
        onPointerUp={pointer}
        onPointerLeave={onLeave}
      />
    </div>
  );
}
