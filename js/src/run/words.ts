const WORDS: Record<string, string> = {
  nonfinite: "NaN or infinite",
  none: "no gradient",
  plateau_early: "early plateau",
};

/** A finding's code as a word or two: loss.plateau_early -> "early plateau". */
export function wordOf(code: string): string {
  const word = code.split(".").at(-1) ?? code;
  return WORDS[word] ?? word.replaceAll("_", " ");
}
