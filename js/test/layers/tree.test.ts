import { describe, expect, it } from "vitest";
import { ancestors, buildTree, closedAtFirst, type Node, visible } from "../../src/layers/tree";

const tree = (...names: string[]) =>
  buildTree(names.map((name) => ({ name, kind: "", size: 0, parameters: [] })));
const show = (nodes: Node[], closed = new Set<string>()) =>
  visible(nodes, closed).map(({ label, depth, layers }) => [depth, label, layers.length]);

describe("buildTree", () => {
  it("groups neighbours by their path", () => {
    expect(show(tree("stem", "body.a", "body.b", "head"))).toEqual([
      [0, "stem", 1],
      [0, "body", 2],
      [1, "a", 1],
      [1, "b", 1],
      [0, "head", 1],
    ]);
  });

  it("keeps the order: a module used twice forms two groups", () => {
    const nodes = tree("a.x", "a.y", "b", "a.z", "a.w");
    expect(show(nodes).filter(([, label]) => label === "a")).toHaveLength(2);
    expect(new Set(visible(nodes, new Set()).map(({ id }) => id)).size).toBe(7);
    expect(visible(nodes, new Set()).flatMap((n) => (n.children.length ? [] : n.layers))).toEqual([
      0, 1, 2, 3, 4,
    ]);
  });

  it("leaves out groups of one and numbers without their parent", () => {
    expect(show(tree("m.layer.0.fc1", "m.layer.0.fc2", "m.layer.1.fc1", "m.layer.1.fc2"))).toEqual([
      [0, "m.layer", 4],
      [1, "layer.0", 2],
      [2, "fc1", 1],
      [2, "fc2", 1],
      [1, "layer.1", 2],
      [2, "fc1", 1],
      [2, "fc2", 1],
    ]);
  });

  it("takes a plain Sequential and a model that is its own layer", () => {
    expect(show(tree("0", "2", "10"))).toEqual([
      [0, "0", 1],
      [0, "2", 1],
      [0, "10", 1],
    ]);
    expect(show(tree(""))).toEqual([[0, "(model)", 1]]);
    expect(tree()).toEqual([]);
  });

  it("leaves a function's argument in one piece", () => {
    expect(show(tree("relu(block.0)", "block.0.act (2)", "block.0.act"))).toEqual([
      [0, "relu(block.0)", 1],
      [0, "block.0", 2],
      [1, "act (2)", 1],
      [1, "act", 1],
    ]);
  });

  it("keeps a layer apart from a group of the same name", () => {
    expect(show(tree("a", "a.b", "a.c"))).toEqual([
      [0, "a", 1],
      [0, "a", 2],
      [1, "b", 1],
      [1, "c", 1],
    ]);
  });
});

describe("closedAtFirst", () => {
  const names = (blocks: number, parts: number) =>
    Array.from({ length: blocks * parts }, (_, i) => `h.${Math.floor(i / parts)}.p${i % parts}`);

  it("opens everything that fits", () => {
    expect(closedAtFirst(tree(...names(2, 3)), 26).size).toBe(0);
  });

  it("closes the deepest groups first", () => {
    const nodes = tree(...names(12, 6));
    expect(visible(nodes, closedAtFirst(nodes, 26))).toHaveLength(1 + 12);
  });

  it("rather scrolls than shows next to nothing", () => {
    const nodes = tree(...names(50, 6));
    expect(visible(nodes, closedAtFirst(nodes, 26))).toHaveLength(1 + 50);
  });
});

it("finds what hides a layer", () => {
  const nodes = tree("a.b.x", "a.b.y", "a.c", "d");
  expect(ancestors(nodes, 1)).toEqual(["a@0", "a.b@0"]);
  expect(ancestors(nodes, 3)).toEqual([]);
});
