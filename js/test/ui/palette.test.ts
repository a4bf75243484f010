import { describe, expect, it } from "vitest";
import { contrast, diverging, inkOn, luminance, sample, sequential } from "../../src/ui/palette";

describe("palettes", () => {
  it("has matplotlib's ends", () => {
    expect(sample("viridis", 0)).toEqual([0x44, 0x01, 0x54]);
    expect(sample("viridis", 1)).toEqual([0xfd, 0xe7, 0x25]);
    expect(sample("cividis", 0.5)).toEqual([0x7d, 0x7c, 0x78]);
  });

  it("clamps", () => {
    expect(sample("viridis", -1)).toEqual(sample("viridis", 0));
    expect(sample("viridis", 7)).toEqual(sample("viridis", 1));
  });

  it.each([
    ["light", [255, 255, 255]],
    ["dark", [17, 17, 17]],
  ] as const)("moves away from the %s background as the value grows", (theme, background) => {
    const scale = sequential(theme);
    const steps = Array.from({ length: 21 }, (_, i) => contrast(scale(i / 20), background));
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1] as number);
  });

  it("is almost white at the neutral value", () => {
    expect(luminance(diverging()(0.5))).toBeGreaterThan(0.9);
  });

  it("computes WCAG contrast and picks the readable ink", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
    expect(inkOn([253, 231, 37])).toBe("#000");
    expect(inkOn([68, 1, 84])).toBe("#fff");
    for (let i = 0; i <= 20; i++) {
      const color = sequential("light")(i / 20);
      const ink = inkOn(color) === "#000" ? 0 : 255;
      expect(contrast(color, [ink, ink, ink])).toBeGreaterThanOrEqual(4.5);
    }
  });
});
