export interface Region {
  /** Where the words stand, in shares of the axes. */
  x: number;
  y: number;
  anchor: "start" | "end";
  over: boolean;
  word: string;
  text: string;
}

/**
 * What lies on each side of the diagonal. For the predicted class above is underconfident. For the
 * probability of one class it depends on the half: too low a probability is overconfident in the
 * lower half, where the model is too sure of "no".
 */
export function regions(top: boolean, side: number): Region[] {
  const line = 18 / side;
  const low = 0.03 + line;
  const high = 0.985 - line * 0.8;
  if (top) {
    return [
      {
        ...{ x: 0.02, y: high, anchor: "start", over: false },
        ...{ word: "underconfident", text: "right more often than it says" },
      },
      {
        ...{ x: 0.985, y: low, anchor: "end", over: true },
        ...{ word: "overconfident", text: "right less often than it says" },
      },
    ] as Region[];
  }
  return [
    {
      ...{ x: 0.02, y: high, anchor: "start", over: true },
      ...{ word: "overconfident", text: "probability too low" },
    },
    {
      ...{ x: 0.52, y: high, anchor: "start", over: false },
      ...{ word: "underconfident", text: "probability too low" },
    },
    {
      ...{ x: 0.485, y: low, anchor: "end", over: false },
      ...{ word: "underconfident", text: "probability too high" },
    },
    {
      ...{ x: 0.985, y: low, anchor: "end", over: true },
      ...{ word: "overconfident", text: "probability too high" },
    },
  ] as Region[];
}
