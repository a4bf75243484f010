import { between, SelectionLine, share } from "../../slices";
import { count, css, Empty, inkOn, sequential, shortenAll, useTheme } from "../../ui";
import type { Pending } from "../../wire";
import { times } from "./bars";
import type { Info, Mode, Detail as Numbers } from "./store";

interface Props {
  mode: Mode | null;
  detail: Numbers | null;
  info: Info;
  modes: readonly Mode[];
  overlap: readonly number[][];
  pending: readonly Pending[];
  onChoose: (name: string | null) => void;
}

/** One category: how often it errs, what is confused in it, and with which others it overlaps. */
export function Detail({ mode, detail, info, modes, overlap, pending, onChoose }: Props) {
  if (!mode) {
    return (
      <Empty
        title="Click a category to see what it shares with the others"
        text="Its errors are then the selection in Python."
      />
    );
  }
  const shown = detail?.name === mode.name ? detail : null;
  return (
    <section class="fm-detail" data-detail={mode.name} data-loaded={shown !== null}>
      <h3>
        {mode.name}
        <button type="button" class="nbd-link" onClick={() => onChoose(null)}>
          Close
        </button>
      </h3>
      <p>
        {count(mode.errors)} of {count(mode.n)} samples are wrong
        {mode.rate !== null && (
          <>
            : <b>{share(mode.rate)}</b> ({between(mode.low, mode.high)}), where all are in{" "}
            {share(info.samples > 0 ? info.errors / info.samples : null)}
          </>
        )}
        .
      </p>
      <p class="nbd-muted">{verdict(mode)}</p>
      {!mode.rest && modes.length > 2 && <Overlap {...{ mode, modes, overlap, onChoose }} />}
      {shown && shown.confusions.length > 0 && (
        <div>
          <h4>
            What is confused <span class="nbd-muted">true → predicted</span>
          </h4>
          <ol class="fm-confusions">
            {shown.confusions.map(([t, p, n]) => (
              <li key={`${t},${p}`}>
                {info.classes[t]} <span class="nbd-muted">→</span>{" "}
                {p < 0 ? <i>not finite</i> : info.classes[p]} <b>{count(n)}</b>
              </li>
            ))}
          </ol>
        </div>
      )}
      <SelectionLine
        selected={shown ? shown.selected : null}
        name="modes"
        open="modes.open()"
        does="shows all its samples"
        pending={pending}
      />
    </section>
  );
}

function verdict(mode: Mode): string {
  if (mode.rest) return "These errors are in no category: a kind of error may be missing.";
  if (mode.n === 0) return "No sample fits: does the predicate compare what you mean?";
  if (mode.lift === null) return "There are no errors at all.";
  const range = `×${times(mode.lift_low ?? 0)} to ×${mode.lift_high === null ? "∞" : times(mode.lift_high)}`;
  const lift = `It errs ${times(mode.lift)} times as often as all samples (95 % interval ${range})`;
  if (mode.by_answer) {
    return `${lift}; it is told which samples are wrong and holds errors by definition, so it is not judged.`;
  }
  if (mode.concentrated) return `${lift}: far more of the errors than its share, and not by luck.`;
  if (mode.explained) return `${lift}, which ${mode.explained} explains.`;
  return `${lift}: not far beyond its share of the samples.`;
}

interface OverlapProps {
  mode: Mode;
  modes: readonly Mode[];
  overlap: readonly number[][];
  onChoose: (name: string) => void;
}

/** Of the errors in each category (rows), the share that is in another one too (columns). */
function Overlap({ mode, modes, overlap, onChoose }: OverlapProps) {
  const scale = sequential(useTheme());
  const own = modes.filter(({ rest }) => !rest);
  const names = shortenAll(
    own.map(({ name }) => name),
    16,
  );
  return (
    <div>
      <h4>
        Overlap <span class="nbd-muted">of a row's errors, how many are in the column too</span>
      </h4>
      <div class="fm-scroll">
        <table class="fm-overlap">
          <thead>
            <tr>
              <th />
              {names.map((name, c) => (
                <th key={own[c]?.name} scope="col" title={own[c]?.name} class="fm-up">
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {own.map((row, r) => (
              <tr key={row.name} class={row.name === mode.name ? "fm-on" : ""}>
                <th scope="row">
                  <button
                    type="button"
                    class="fm-pick"
                    title={row.name}
                    onClick={() => onChoose(row.name)}
                  >
                    {names[r]}
                  </button>
                </th>
                {own.map((column, c) => {
                  const shared = overlap[r]?.[c] ?? 0;
                  const part = row.errors > 0 ? shared / row.errors : 0;
                  const colour = scale(part);
                  const filled = r !== c && shared > 0;
                  return (
                    <td
                      key={column.name}
                      data-overlap={`${r},${c}`}
                      data-count={shared}
                      title={`${count(shared)} of the ${count(row.errors)} errors in ${row.name} are in ${column.name} too`}
                      style={filled ? { background: css(colour), color: inkOn(colour) } : {}}
                    >
                      {r === c ? <span class="nbd-muted">{count(shared)}</span> : count(shared)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
