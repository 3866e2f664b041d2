/** Who wants to hear of something, and the way to tell them. */
export interface Listeners<Heard> {
  /** Answers the way to stop listening. */
  add(listener: (heard: Heard) => void): () => void;
  /** @param make puts together what is told; not called when nobody listens */
  tell(make: () => Heard): void;
}

export function createListeners<Heard>(): Listeners<Heard> {
  const listeners = new Set<(heard: Heard) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(make) {
      for (const listener of listeners) listener(make());
    },
  };
}
