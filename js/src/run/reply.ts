import { useEffect, useRef, useState } from "preact/hooks";
import type { Bytes, Requests } from "../wire";

/** Between two requests for newer data of the same thing. */
const AGAIN_MS = 1000;

export interface Answer<T> {
  value: T | null;
  error: string | null;
  /** Asked for, and not there yet. */
  busy: boolean;
}

interface Spec<T> {
  requests: Requests;
  name: string;
  /** What to ask for; null for nothing. */
  args: Record<string, unknown> | null;
  /** Asks again when it changes, at most once a second; what is shown stays until then. */
  version: number;
  read(result: Record<string, unknown>, buffers: readonly Bytes[]): T;
}

/** What the kernel answers to a request, kept up to date. */
export function useReply<T>({ requests, name, args, version, read }: Spec<T>): Answer<T> {
  const key = args && JSON.stringify(args);
  const [answer, setAnswer] = useState<Answer<T> & { key: string | null }>({
    key: null,
    value: null,
    error: null,
    busy: false,
  });
  const poke = useRef(() => {});
  useEffect(() => {
    if (args === null) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let at = Number.NEGATIVE_INFINITY;
    let [busy, again] = [false, false];
    const ask = async () => {
      [timer, busy, again, at] = [undefined, true, false, Date.now()];
      setAnswer((old) => ({ ...old, key, value: old.key === key ? old.value : null, busy: true }));
      try {
        const { result, buffers } = await requests.request(name, args, gone.signal);
        setAnswer({ key, value: read(result, buffers), error: null, busy: false });
      } catch (error) {
        if (gone.signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        setAnswer((old) => ({ ...old, key, error: text, busy: false }));
      }
      busy = false;
      if (again) poke.current();
    };
    // One that is under way is waited for: where news come faster than answers, giving it up for a
    // newer one would leave the view empty for ever.
    poke.current = () => {
      if (busy) again = true;
      else timer ??= setTimeout(() => void ask(), Math.max(0, at + AGAIN_MS - Date.now()));
    };
    poke.current();
    return () => {
      clearTimeout(timer);
      gone.abort();
      poke.current = () => {};
    };
  }, [requests, name, key]);
  useEffect(() => poke.current(), [version]);
  const mine = answer.key === key && key !== null;
  return mine ? answer : { value: null, error: null, busy: args !== null };
}
