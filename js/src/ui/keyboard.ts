export type Keys = Partial<Record<string, (event: KeyboardEvent) => void>>;

const TEXT = new Set(["text", "search", "number", "email", "url", ""]);

/** Whether the key belongs to a field that the user is filling in. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") {
    return true;
  }
  return target.tagName === "INPUT" && TEXT.has((target as HTMLInputElement).type);
}

/**
 * A key handler: `keys({ Escape: clear, ArrowLeft: back })`. What it handles goes no further, so
 * that the notebook does not act on it as well. Keys with Ctrl, Alt or Meta are left alone.
 */
export function keys(map: Keys): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const action = map[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  };
}
