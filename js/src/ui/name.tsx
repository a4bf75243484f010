import type { JSX } from "preact";
import { shorten } from "./format";

/**
 * A name that may be long: shortened in the middle, whole on hover and for screen readers. `text`: the
 * short form where names that stand side by side were shortened together.
 */
export function Name(props: { name: string; max?: number; text?: string }): JSX.Element {
  const { name, max = 24, text = shorten(name, max) } = props;
  if (text === name) return <span class="nbd-name">{name}</span>;
  return (
    <span class="nbd-name" title={name}>
      <span aria-hidden="true">{text}</span>
      <span class="nbd-sr">{name}</span>
    </span>
  );
}
