import { describe, expect, it } from "vitest";
import {
  cardsInView,
  makeGrid,
  pagesOf,
  rowOffset,
  scrollTopFor,
  scrollToShow,
  virtualTop,
} from "../../src/views/error_explorer/paging";

// 5 columns, rows of 200 px, 450 px on screen.
const grid = (total: number, tallest?: number) => makeGrid(total, 5, 450, 200, tallest);

describe("paging", () => {
  it("shows the first rows at the top, and asks for the first page only", () => {
    const g = grid(100_000);
    expect([g.columns, g.rows, g.scrollHeight]).toEqual([5, 20_000, 4_000_000]);
    expect(cardsInView(g, 0)).toEqual({ start: 0, stop: 15 });
    expect(pagesOf(cardsInView(g, 0))).toEqual([0]);
  });

  it("asks for the pages under the scroll position, not for those scrolled past", () => {
    const span = cardsInView(grid(100_000), 1_000_000);
    expect(span).toEqual({ start: 25_000, stop: 25_015 });
    expect(pagesOf(span)).toEqual([1041, 1042]);
  });

  it("ends with the last card", () => {
    expect(cardsInView(grid(7), 0, 2)).toEqual({ start: 0, stop: 7 });
    expect(cardsInView(grid(12), 1e9)).toEqual({ start: 12, stop: 12 });
    expect(pagesOf({ start: 12, stop: 12 })).toEqual([]);
    expect(cardsInView(grid(0), 0, 1)).toEqual({ start: 0, stop: 0 });
  });

  it("reaches both ends of a list taller than a browser can scroll", () => {
    const g = grid(100_000, 10_000);
    expect(g.scrollHeight).toBe(10_000);
    expect(virtualTop(g, 0)).toBe(0);
    const end = g.scrollHeight - g.viewHeight;
    expect(virtualTop(g, end)).toBeCloseTo(4_000_000 - 450);
    expect(cardsInView(g, end).stop).toBe(100_000);
    expect(rowOffset(g, 19_999, end)).toBeCloseTo(10_000 - 200);
    expect(scrollTopFor(g, virtualTop(g, 1234))).toBeCloseTo(1234);
  });

  it("brings a card into view with the least movement", () => {
    const g = grid(1000);
    expect(scrollToShow(g, 0, 900)).toBe(0);
    expect(scrollToShow(g, 7, 100)).toBe(100);
    expect(scrollToShow(g, 50, 0)).toBe(2200 - 450);
  });
});
