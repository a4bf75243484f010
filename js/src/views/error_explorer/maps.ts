/** The reply to an "overlay" request, taken apart. */

import { DecodeError, decodeArray, decodeAs, type Reply } from "../../wire";
import type { Cam, SampleId } from "./types";

interface OverlayResult {
  ids: SampleId[];
  layer: string;
  maps: unknown;
  peak: unknown;
  /** Of each map on its object, where objects are given. */
  share?: unknown;
  area?: unknown;
}

export interface Maps {
  ids: SampleId[];
  layer: string;
  maps: Cam[];
}

export function decodeMaps({ result, buffers }: Reply<OverlayResult>): Maps {
  const maps = decodeAs(result.maps, "float32", buffers);
  const peak = decodeAs(result.peak, "float32", buffers);
  const read = (given: unknown) => (given === undefined ? null : decodeArray(given, buffers).data);
  const [share, area] = [read(result.share), read(result.area)];
  const objectOf = (i: number) => {
    const object = { share: share?.[i] ?? Number.NaN, area: area?.[i] ?? Number.NaN };
    return Number.isFinite(object.share) ? object : undefined;
  };
  const [n = 0, height = 0, width = 0] = maps.shape;
  if (maps.shape.length !== 3 || n !== result.ids.length || peak.data.length !== n) {
    throw new DecodeError(
      `${result.ids.length} overlays were named; maps [${maps.shape.join(", ")}] and ` +
        `${peak.data.length} peaks came`,
    );
  }
  return {
    ids: result.ids,
    layer: result.layer,
    maps: result.ids.map((_, i) => ({
      width,
      height,
      // A copy: the buffer may be a window into a much larger frame, and the map is kept.
      values: maps.data.slice(i * width * height, (i + 1) * width * height),
      peak: peak.data[i] ?? Number.NaN,
      object: objectOf(i),
    })),
  };
}
