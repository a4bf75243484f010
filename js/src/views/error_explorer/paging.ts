/** Which cards of a long gallery are on screen, and which pages that needs. */

export const PAGE = 24;
/** Tallest scroll area that every browser lays out correctly. */
const TALLEST = 8_000_000;

export interface Grid {
  total: number;
  columns: number;
  rows: number;
  rowHeight: number;
  viewHeight: number;
  /** Height of the scrolled content; less than rows * rowHeight in a gigantic gallery. */
  scrollHeight: number;
}

export interface Span {
  start: number;
  stop: number;
}

export function makeGrid(
  total: number,
  columns: number,
  viewHeight: number,
  rowHeight: number,
  tallest = TALLEST,
): Grid {
  const rows = Math.ceil(total / columns);
  return {
    total,
    columns,
    rows,
    rowHeight,
    viewHeight,
    scrollHeight: Math.min(rows * rowHeight, tallest),
  };
}

/** Distance scrolled in the full list; differs from scrollTop only where that is compressed. */
export function virtualTop(grid: Grid, scrollTop: number): number {
  const full = grid.rows * grid.rowHeight;
  if (full <= grid.scrollHeight) return scrollTop;
  const range = Math.max(1, grid.scrollHeight - grid.viewHeight);
  return (scrollTop * (full - grid.viewHeight)) / range;
}

/** The scrollTop that shows a distance in the full list. */
export function scrollTopFor(grid: Grid, top: number): number {
  const full = grid.rows * grid.rowHeight;
  if (full <= grid.scrollHeight) return top;
  return (top * Math.max(1, grid.scrollHeight - grid.viewHeight)) / (full - grid.viewHeight);
}

/** Where a row lies inside the scrolled content. */
export function rowOffset(grid: Grid, row: number, scrollTop: number): number {
  return row * grid.rowHeight - virtualTop(grid, scrollTop) + scrollTop;
}

/** Cards on screen, with `overscan` rows above and below. */
export function cardsInView(grid: Grid, scrollTop: number, overscan = 0): Span {
  const top = virtualTop(grid, scrollTop);
  const firstRow = Math.max(0, Math.floor(top / grid.rowHeight) - overscan);
  const lastRow = Math.ceil((top + grid.viewHeight) / grid.rowHeight) + overscan;
  const start = Math.min(grid.total, firstRow * grid.columns);
  return { start, stop: Math.max(start, Math.min(grid.total, lastRow * grid.columns)) };
}

/** Pages that a span of cards touches. */
export function pagesOf(span: Span, page = PAGE): number[] {
  const pages: number[] = [];
  if (span.stop <= span.start) return pages;
  for (let i = Math.floor(span.start / page); i * page < span.stop; i++) pages.push(i);
  return pages;
}

/** scrollTop that brings a card into view with the least movement. */
export function scrollToShow(grid: Grid, index: number, scrollTop: number): number {
  const row = Math.floor(index / grid.columns);
  const top = row * grid.rowHeight;
  const seen = virtualTop(grid, scrollTop);
  if (top < seen) return scrollTopFor(grid, top);
  if (top + grid.rowHeight > seen + grid.viewHeight) {
    return scrollTopFor(grid, top + grid.rowHeight - grid.viewHeight);
  }
  return scrollTop;
}
