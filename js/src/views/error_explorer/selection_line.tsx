import { count, Deferred } from "../../ui";
import type { Pending } from "../../wire";
import type { Selection } from "./selection";

interface Props {
  selection: Selection;
  pending: readonly Pending[];
  onClear: () => void;
}

/** What Python has as `explorer.selection`, and whether it knows yet. */
export function SelectionLine({ selection, pending, onClear }: Props) {
  const n = selection.size;
  return (
    <p class="ex-selection" data-selection={n} data-pending={selection.pending}>
      <span>
        {n === 0 ? "none selected" : `${count(n)} selected`}
        {" – "}
        <code>explorer.selection</code> in Python
      </span>
      {n > 0 && selection.editable && (
        <button type="button" class="nbd-link" onClick={onClear}>
          Select none
        </button>
      )}
      <Deferred pending={pending.filter((request) => request.name === "select")} />
    </p>
  );
}
