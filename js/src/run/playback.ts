import { useEffect, useRef, useState } from "preact/hooks";

/** Samples that come and go by their step. */
export interface Timeline {
  readonly length: number;
  /** (length,) rising; what lies behind it is room to grow. */
  readonly steps: ArrayLike<number>;
  /** The last sample at or before a step; the first one when there is none. */
  indexAt(step: number): number;
}

const LEAST_MS = 1500;
const MOST_MS = 8000;
const SAMPLE_MS = 60;

export interface Playback {
  /** Index of the sample shown; -1 while there is none. */
  sample: number;
  /** Follows the newest sample. */
  live: boolean;
  playing: boolean;
  show(sample: number): void;
  goLive(): void;
  togglePlay(): void;
}

/** Which sample is shown: the newest, one that was chosen, or a replay of the whole training. */
export function usePlayback(history: Timeline): Playback {
  const [step, setStep] = useState<number | null>(null); // null: live
  const [playing, setPlaying] = useState(false);
  const newest = history.length - 1;
  const sample = step === null ? newest : history.indexAt(step);
  const position = useRef(0);

  const show = (index: number) => {
    const clamped = Math.min(newest, Math.max(0, index));
    if (newest >= 0) setStep(history.steps[clamped] as number);
  };

  useEffect(() => {
    if (!playing) return;
    let before = performance.now();
    let frame = requestAnimationFrame(function tick(now) {
      const length = history.length;
      const duration = Math.min(MOST_MS, Math.max(LEAST_MS, length * SAMPLE_MS));
      position.current += ((now - before) / duration) * length;
      before = now;
      if (position.current >= length - 1) {
        setPlaying(false);
        setStep(null);
        return;
      }
      setStep(history.steps[Math.floor(position.current)] as number);
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, history]);

  return {
    sample,
    live: step === null,
    playing,
    show: (index) => {
      setPlaying(false);
      show(index);
    },
    goLive: () => {
      setPlaying(false);
      setStep(null);
    },
    togglePlay: () => {
      if (!playing) {
        position.current = sample >= newest ? 0 : sample;
        show(position.current);
      }
      setPlaying(!playing && newest > 0);
    },
  };
}
