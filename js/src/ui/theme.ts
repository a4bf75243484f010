import { luminance, type RGB, type Theme } from "./palette";

function parseRgb(text: string): { rgb: RGB; alpha: number } | null {
  const parts = text
    .match(/^rgba?\(([^)]+)\)$/)?.[1]
    ?.split(/[\s,/]+/)
    .map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) return null;
  return { rgb: [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0], alpha: parts[3] ?? 1 };
}

/** What the page looks like around `el`: the host's own word first, then the painted background. */
export function detectTheme(el: Element): Theme {
  const body = el.ownerDocument.body;
  if (body.dataset.jpThemeLight === "true") return "light";
  if (body.dataset.jpThemeLight === "false") return "dark";
  if (body.classList.contains("vscode-dark")) return "dark";
  if (body.classList.contains("vscode-light")) return "light";
  for (let node: Element | null = el.parentElement; node; node = node.parentElement) {
    const found = parseRgb(getComputedStyle(node).backgroundColor);
    if (found && found.alpha > 0.5) return luminance(found.rgb) < 0.18 ? "dark" : "light";
  }
  return "light";
}

/** Calls `onChange` now and whenever the page's theme changes, until `signal` aborts. */
export function watchTheme(
  el: Element,
  onChange: (theme: Theme) => void,
  signal: AbortSignal,
): void {
  let last: Theme | null = null;
  const look = () => {
    const theme = detectTheme(el);
    if (theme !== last) onChange(theme);
    last = theme;
  };
  look();
  const observer = new MutationObserver(look);
  const options = {
    attributes: true,
    attributeFilter: ["class", "data-jp-theme-light", "data-jp-theme-name", "style", "data-theme"],
  };
  observer.observe(el.ownerDocument.body, options);
  observer.observe(el.ownerDocument.documentElement, options);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}
