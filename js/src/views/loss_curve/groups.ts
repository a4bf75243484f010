import type { Track } from "./track";

/** What a series says about: the running training, or an average over a data set. */
export type Role = "step" | "train" | "val" | "test";

export interface Member {
  track: Track;
  role: Role;
}

/** Series that belong into one picture: loss, train_loss and val_loss. */
export interface Group {
  name: string;
  members: Member[];
}

const PREFIX = /^(train|training|val|valid|validation|dev|test|eval)[_/.\- ](.+)$/i;

function roleOf(prefix: string): Role {
  const word = prefix.toLowerCase();
  if (word.startsWith("train")) return "train";
  return word === "test" ? "test" : "val";
}

const rank = ({ role }: Member) => ["step", "train", "val", "test"].indexOf(role);

/** By metric, the loss first, else in the order in which they were first logged. */
export function groupsOf(tracks: readonly Track[]): Group[] {
  const groups = new Map<string, Group>();
  for (const track of tracks) {
    if (track.length === 0) continue;
    const [, prefix, rest] = track.name.match(PREFIX) ?? [];
    const name = rest ?? track.name;
    const group = groups.get(name) ?? { name, members: [] };
    group.members.push({ track, role: prefix ? roleOf(prefix) : "step" });
    groups.set(name, group);
  }
  const order = [...groups.values()];
  for (const { members } of order) members.sort((a, b) => rank(a) - rank(b));
  return [
    ...order.filter(({ name }) => name === "loss"),
    ...order.filter((g) => g.name !== "loss"),
  ];
}
