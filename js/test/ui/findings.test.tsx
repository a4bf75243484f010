import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, it, vi } from "vitest";
import { Findings, readFailures, readFindings } from "../../src/ui";

const finding = (severity: string, message: string, more = {}) => ({
  code: `gradient.${message}`,
  severity,
  subject: "fc",
  message,
  remedy: "Clip the gradient.",
  ...more,
});

it("reads what the kernel sent, worst first, and survives rubbish", () => {
  const read = readFindings([
    finding("info", "c"),
    finding("critical", "a"),
    null,
    { message: 3 },
    finding("warning", "b"),
    finding("strange", "d"),
  ]);
  expect(read.map(({ message, severity }) => [message, severity])).toEqual([
    ["a", "critical"],
    ["b", "warning"],
    ["c", "info"],
    ["d", "info"],
  ]);
  expect(readFindings("no")).toEqual([]);
  expect(readFailures([{ probe: "norms" }])).toEqual([
    { probe: "norms", reason: "no reason was given" },
  ]);
});

it("says the severity in a word, shows the remedy on demand, escapes HTML", () => {
  const place = document.createElement("div");
  const seen = vi.fn();
  const html = "<img src=x onerror=alert(1)> never got a gradient";
  const findings = readFindings([finding("critical", html)]);
  act(() => render(<Findings findings={findings} onSubject={seen} />, place));
  expect(place.textContent).toContain("Critical");
  expect(place.textContent).toContain(html);
  expect(place.querySelector("img")).toBeNull();
  expect(place.textContent).not.toContain("Clip the gradient.");
  const [what, show] = [...place.querySelectorAll("button")];
  act(() => what?.click());
  expect(what?.getAttribute("aria-expanded")).toBe("true");
  expect(place.textContent).toContain("Clip the gradient.");
  act(() => show?.click());
  expect(seen).toHaveBeenCalledWith("fc");
  render(null, place);
});

it("folds a long list", () => {
  const place = document.createElement("div");
  const findings = readFindings(["a", "b", "c", "d"].map((m) => finding("warning", m)));
  act(() => render(<Findings findings={findings} />, place));
  expect(place.querySelectorAll("[data-code]")).toHaveLength(2);
  const more = [...place.querySelectorAll("button")].find((b) => b.textContent === "Show 2 more");
  act(() => more?.click());
  expect(place.querySelectorAll("[data-code]")).toHaveLength(4);
  render(null, place);
});
