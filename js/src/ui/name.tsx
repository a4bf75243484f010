import type { JSX } from "preact";
import { shorten } from "./format";

/** A name that may be long: shortened in the middle, whole on hover and for screen readers. */
export function Name({ name, max = 24 }: { name: string; max?: number }): JSX.Element {
  const text = shorten(name, max);
  if (text === name) return <span class="nbd-name">{name}</span>;
  return (
    <span class="nbd-name" title={name}>
      <span aria-hidden="true">{text}</span>
      <span class="nbd-sr">{name}</span>
    </span>
  );
}
