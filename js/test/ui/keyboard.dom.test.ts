import { expect, it, vi } from "vitest";
import { isTyping, keys } from "../../src/ui/keyboard";

function press(target: HTMLElement, key: string, more: KeyboardEventInit = {}) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

it("handles its keys and keeps them from the notebook", () => {
  const clear = vi.fn();
  const outer = vi.fn();
  const notebook = document.createElement("div");
  const widget = document.createElement("div");
  notebook.append(widget);
  notebook.addEventListener("keydown", outer);
  widget.addEventListener("keydown", keys({ Escape: clear }));
  expect(press(widget, "Escape").defaultPrevented).toBe(true);
  expect(clear).toHaveBeenCalledOnce();
  expect(outer).not.toHaveBeenCalled();
  expect(press(widget, "b").defaultPrevented).toBe(false);
  expect(outer).toHaveBeenCalledOnce();
  press(widget, "Escape", { ctrlKey: true });
  expect(clear).toHaveBeenCalledOnce();
});

it("leaves fields alone that the user fills in", () => {
  const back = vi.fn();
  const widget = document.createElement("div");
  const [text, range] = [document.createElement("input"), document.createElement("input")];
  range.type = "range";
  widget.append(text, range);
  widget.addEventListener("keydown", keys({ ArrowLeft: back }));
  press(text, "ArrowLeft");
  expect(back).not.toHaveBeenCalled();
  expect(isTyping(range)).toBe(false);
  expect(isTyping(null)).toBe(false);
});
