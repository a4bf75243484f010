import type { JSX } from "preact";
import { Deferred, plural } from "../ui";
import type { Pending } from "../wire";

interface Props {
  /** How many samples Python has, or null while it is asked. */
  selected: number | null;
  /** What Python calls the widget: "explorer". */
  name: string;
  /** How the same samples are opened: "explorer.open()". */
  open: string;
  /** What that does. */
  does?: string;
  pending: readonly Pending[];
}

/** What Python has as the selection, and how to look at these samples. */
export function SelectionLine({
  selected,
  name,
  open,
  does = "shows them",
  pending,
}: Props): JSX.Element {
  return (
    <p class="sl-selection" data-selected={selected ?? ""}>
      <span>
        {selected === null ? "selecting…" : `${plural(selected, "sample")} selected:`}{" "}
        <code>{name}.selection</code> in Python, <code>{open}</code> {does}
      </span>
      <Deferred pending={pending} />
    </p>
  );
}
