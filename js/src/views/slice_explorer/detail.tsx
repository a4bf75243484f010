import { between, SelectionLine, share } from "../../slices";
import { count, Empty, number, useTheme } from "../../ui";
import type { Pending } from "../../wire";
import { Matrix } from "./matrix";
import type { Info, Detail as Numbers, SliceRow } from "./types";

interface Props {
  row: SliceRow | null;
  detail: Numbers | null;
  info: Info;
  pending: readonly Pending[];
  onClear: () => void;
}

/** One slice: how it stands against the rest, its confusion matrix, and its samples in Python. */
export function Detail({ row, detail, info, pending, onClear }: Props) {
  const theme = useTheme();
  if (!row) {
    return (
      <Empty
        title="Click a slice to see what is confused in it"
        text="Its samples are then the selection in Python."
      />
    );
  }
  const shown = detail?.at === row.at ? detail : null;
  return (
    <section class="se-detail" data-detail={row.at} data-loaded={shown !== null}>
      <h3>
        {row.title}
        <button type="button" class="nbd-link" onClick={onClear}>
          Close
        </button>
      </h3>
      <p>
        {count(row.errors)} of {count(row.n)} samples {badly(info)}: <b>{share(row.rate)}</b> (
        {between(row.low, row.high)})
        {shown && shown.rest.value !== null && (
          <>
            ; of the others <span class="se-number">{share(shown.rest.value)}.</span>
          </>
        )}
        {!(shown && shown.rest.value !== null) && "."}
      </p>
      <p class="nbd-muted">{verdict(row, info)}</p>
      {shown?.matrix && shown.others && (
        <Matrix classes={info.classes} matrix={shown.matrix} others={shown.others} theme={theme} />
      )}
      {shown && !shown.matrix && <Confusions detail={shown} info={info} />}
      <SelectionLine
        selected={shown ? shown.selected : null}
        name="explorer"
        open="explorer.open()"
        pending={pending.filter((request) => request.name === "choose")}
      />
    </section>
  );
}

function badly(info: Info): string {
  const [kind, name] = info.metric.value.split(/:(.*)/s);
  if (kind === "recall") return `of ${name} are missed`;
  if (kind === "precision") return `taken for ${name} are not`;
  return "are wrong";
}

export function verdict(row: SliceRow, info: Info): string {
  if (!row.tested) {
    return `Too few samples to judge: ${info.min_support} are needed, in the slice and outside it.`;
  }
  const many = `after correction for the ${count(info.tested)} slices looked at`;
  if (row.weak)
    return `A weakness of its own: luck does not explain it (${many}), and it is large.`;
  if (row.explained) return `Worse than the rest, but ${row.explained} explains that.`;
  if (row.p !== null && row.p <= 0.01) {
    return `Different from the rest (p ${pText(row.p)} ${many}), but not by enough to matter.`;
  }
  return `Not worse than the rest beyond what luck explains (p ${pText(row.p)} ${many}).`;
}

function pText(p: number | null): string {
  if (p === null) return "unknown";
  return p < 0.001 ? "< 0.001" : `= ${number(p, 2)}`;
}

function Confusions({ detail, info }: { detail: Numbers; info: Info }) {
  if (detail.confusions.length === 0) return <p class="nbd-muted">No sample is confused.</p>;
  return (
    <div>
      <h4>
        Largest confusions <span class="nbd-muted">true → predicted</span>
      </h4>
      <ol class="se-confusions">
        {detail.confusions.map(([t, p, n]) => (
          <li key={`${t},${p}`}>
            {info.classes[t]} <span class="nbd-muted">→</span> {info.classes[p]} <b>{count(n)}</b>
          </li>
        ))}
      </ol>
    </div>
  );
}
