import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  text: string;
  onWrite: (text: string) => void;
}

/** What a person thinks about a sample; kept as they leave the field, or press Ctrl+Enter. */
export function Note({ text, onWrite }: Props) {
  const [draft, setDraft] = useState(text);
  const latest = useRef({ draft, text, onWrite });
  latest.current = { draft, text, onWrite };
  const keep = () => {
    const now = latest.current;
    if (now.draft.trim() !== now.text.trim()) now.onWrite(now.draft.trim());
  };
  // Another note came from Python, or from a second view.
  useEffect(() => setDraft(text), [text]);
  useEffect(() => keep, []);
  return (
    <label class="ex-note">
      <span class="nbd-muted">Note</span>
      <textarea
        rows={2}
        maxLength={4000}
        placeholder="What do you see? explorer.notes has it in Python."
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep();
          // Arrows and Space belong to the text; Escape leaves it.
          if (event.key === "Escape") {
            event.currentTarget.closest<HTMLElement>("[data-detail]")?.focus();
          }
          event.stopPropagation();
        }}
      />
    </label>
  );
}
