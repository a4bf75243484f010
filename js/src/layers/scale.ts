/** A log axis over whole decades; `low` and `high` are exponents of ten. */
export interface Domain {
  low: number;
  high: number;
}

/** Whole decades around the data, at least two, so that noise does not look like drama. */
export function domainOf(low: number, high: number): Domain {
  if (!(low <= high)) return { low: -3, high: 0 };
  // A little room below: the smallest value still gets a visible bar.
  let from = Math.floor(low - 0.1);
  const to = Math.max(Math.ceil(high), from + 1) + 0; // + 0: no negative zero
  if (to - from < 2) from = to - 2;
  return { low: from, high: to };
}

/** Where a log10 value lies in the domain, 0 to 1. */
export function share(domain: Domain, log: number): number {
  return Math.min(1, Math.max(0, (log - domain.low) / (domain.high - domain.low)));
}

/** Decades from one label to the next, so that there are at most `most` of them. */
export function tickStep(domain: Domain, most: number): number {
  const span = domain.high - domain.low;
  return [1, 2, 3, 5, 10, 20].find((s) => Math.floor(span / s) + 1 <= Math.max(2, most)) ?? 50;
}

/** Exponents to label, at most `most`, both ends kept where the step allows. */
export function ticks(domain: Domain, most: number): number[] {
  const step = tickStep(domain, most);
  const out: number[] = [];
  for (let e = domain.high; e >= domain.low; e -= step) out.unshift(e);
  return out;
}
