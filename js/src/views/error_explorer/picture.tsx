import { useLayoutEffect, useRef } from "preact/hooks";
import { sample as colourOf } from "../../ui";
import { camState, colourCam, upsample } from "./cam";
import type { Picture } from "./pages";
import type { Cam } from "./types";

/** From this enlargement on, the pixels of a small picture are shown as they are. */
const PIXELS_FROM = 3;
/** A map is smooth: more pixels than this show nothing more. */
const MAP_SIDE = 256;

export interface Over {
  cam: Cam;
  /** Value in full colour. */
  full: number;
  opacity: number;
}

interface Props {
  picture: Picture | null;
  width: number;
  height: number;
  label: string;
  over?: Over | null;
  missing?: string;
}

/** A picture as large as fits its box, and a class activation map exactly over it. */
export function PictureBox({ picture, width, height, label, over, missing }: Props) {
  if (!picture) {
    return (
      <div class="ex-picture ex-missing" style={{ width: `${width}px`, height: `${height}px` }}>
        {missing ?? ""}
      </div>
    );
  }
  const scale = Math.min(width / picture.width, height / picture.height);
  const [w, h] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const place = {
    left: `${Math.round((width - w) / 2)}px`,
    top: `${Math.round((height - h) / 2)}px`,
    width: `${w}px`,
    height: `${h}px`,
  };
  return (
    <div class="ex-picture" style={{ width: `${width}px`, height: `${height}px` }}>
      <img
        src={picture.url}
        alt={label}
        draggable={false}
        class={over ? "ex-under" : undefined}
        style={{ ...place, imageRendering: scale >= PIXELS_FROM ? "pixelated" : "auto" }}
      />
      {over && camState(over.cam) !== "none" && <CamCanvas over={over} place={place} w={w} h={h} />}
    </div>
  );
}

interface MapProps {
  over: Over;
  place: Record<string, string>;
  w: number;
  h: number;
}

function CamCanvas({ over: { cam, full, opacity }, place, w, h }: MapProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const shrink = Math.min(1, MAP_SIDE / Math.max(w, h));
  const width = Math.max(1, Math.round(w * shrink));
  const height = Math.max(1, Math.round(h * shrink));
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    canvas.width = width;
    canvas.height = height;
    const pixels = colourCam(upsample(cam, width, height), full, 1, camColour);
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [cam, full, width, height]);
  return <canvas ref={ref} class="ex-map" style={{ ...place, opacity }} />;
}

/** Viridis without its darkest quarter, which would read as shadow on a picture. */
export function camColour(share: number) {
  return colourOf("viridis", 0.25 + 0.75 * share);
}
