import type { JSX } from "preact";
import { count, number } from "../../ui";
import type { Group, Role } from "./groups";
import type { Layer, Picture } from "./picture";
import { FINITE, NAN } from "./track";

interface Fact {
  name: string;
  text: string;
}

/** The cell nearest to a step. */
function nearest(layer: Layer, step: number): number {
  const { steps, length } = layer.cells;
  let best = -1;
  for (let i = 0; i < length; i++) {
    const gap = Math.abs((steps[i] as number) - step);
    if (best < 0 || gap < Math.abs((steps[best] as number) - step)) best = i;
  }
  return best;
}

/** Everything the picture knows about a step. */
export function factsAt(group: Group, picture: Picture, step: number): Fact[] {
  const facts: Fact[] = [];
  for (const [k, member] of group.members.entries()) {
    const layer = picture.layers[k];
    if (!layer) continue;
    const name = member.track.name;
    if (!layer.dense && member.role !== "step") {
      const at = member.track.indexAt(step);
      if (at < 0) continue;
      const value = member.track.values[at] as number;
      const bad = member.track.bad[at] as number;
      const text = bad === FINITE ? number(value) : bad === NAN ? "NaN" : "infinite";
      facts.push({ name, text: `${text} at step ${count(member.track.steps[at] as number)}` });
      continue;
    }
    const i = nearest(layer, step);
    if (i < 0) continue;
    const { mean, low, high, bad } = layer.cells;
    const [least, most] = [low[i] as number, high[i] as number];
    let text = Number.isFinite(mean[i]) ? number(mean[i] as number) : "";
    if (least < most) text += ` (${number(least)} to ${number(most)})`;
    if (bad[i] !== FINITE) text += `${text && ", "}${bad[i] === NAN ? "NaN" : "infinite"}`;
    facts.push({ name, text });
    if (layer.dense && Number.isFinite(layer.smoothed[i])) {
      facts.push({ name: `${name}, smoothed`, text: number(layer.smoothed[i] as number) });
    }
  }
  const gap = gapAt(group, picture, step);
  if (gap) facts.push(gap);
  return facts;
}

/** Validation minus training: the averages over an epoch where there are such, else smoothed. */
function gapAt(group: Group, picture: Picture, step: number): Fact | null {
  const read = (role: Role): [number, string] => {
    const k = group.members.findIndex((member) => member.role === role);
    const [member, layer] = [group.members[k], picture.layers[k]];
    if (!member || !layer) return [Number.NaN, ""];
    const { name } = member.track;
    if (layer.dense) return [layer.smoothed[nearest(layer, step)] ?? Number.NaN, name];
    const at = member.track.indexAt(step);
    return [at < 0 ? Number.NaN : (member.track.values[at] as number), name];
  };
  const validation = read("val");
  const epoch = read("train");
  const training = Number.isNaN(epoch[0]) ? read("step") : epoch;
  const gap = validation[0] - training[0];
  if (!Number.isFinite(gap)) return null;
  return {
    name: "gap",
    text: `${gap > 0 ? "+" : ""}${number(gap)} (${validation[1]} − ${training[1]})`,
  };
}

export function Detail(props: { group: Group; picture: Picture; step: number }): JSX.Element {
  const { group, picture, step } = props;
  return (
    <>
      <b>step {count(step)}</b>
      <table class="lc-facts">
        <tbody>
          {factsAt(group, picture, step).map(({ name, text }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
