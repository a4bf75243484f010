import { useEffect, useRef, useState } from "preact/hooks";
import { useReducedMotion } from "../../ui";
import { between, type Curve } from "./curves";

const GLIDE_MS = 150;

/** The curve on its way to `target`; at once while a slider moves or bins were changed. */
export function useGlide(target: Curve | null, instant: boolean): Curve | null {
  const reduced = useReducedMotion();
  const [shown, setShown] = useState(target);
  const last = useRef(target);
  useEffect(() => {
    const from = last.current;
    const still = !from || !target || from.counts.length !== target.counts.length;
    if (instant || reduced || still || from === target) {
      last.current = target;
      setShown(target);
      return;
    }
    const begun = performance.now();
    let frame = 0;
    const step = (now: number) => {
      const share = Math.min(1, (now - begun) / GLIDE_MS);
      last.current = share < 1 ? between(from, target, share * (2 - share)) : target;
      setShown(last.current);
      if (share < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [target, instant, reduced]);
  return instant ? target : shown;
}
