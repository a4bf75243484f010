/** A value that several views watch. The model owns it, so a second view shows the same. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.notify();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /** Tells the watchers that a value changed in place. */
  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void, signal?: AbortSignal): () => void {
    const stop = () => {
      this.#listeners.delete(listener);
    };
    if (signal?.aborted) return stop;
    this.#listeners.add(listener);
    signal?.addEventListener("abort", stop, { once: true });
    return stop;
  }

  get size(): number {
    return this.#listeners.size;
  }
}
