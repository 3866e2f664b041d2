/**
 * Places for the environments of tenants: Lambda keeps one set for each tenant ("tenant isolation"), a computer cannot. Shared by all
 * functions with tenant isolation; when every place is taken, the environment that has been idle for longest goes.
 */
export interface TenantRoom {
  /** Takes a place. False when all are taken by environments at work. */
  enter(): boolean;
  leave(): void;
  /** The environment behind `evict` has nothing to do: from now on it may have to go. `evict` calls `work` and `leave` before it returns. */
  rest(evict: () => void): void;
  work(evict: () => void): void;
  /** Resolves when a place or an environment may have become free. */
  freed(): Promise<void>;
}

export function createTenantRoom(places: number): TenantRoom {
  /** In the order in which they became idle. */
  const idle = new Set<() => void>();
  let taken = 0;
  let waiting = Promise.withResolvers<void>();
  const wake = (): void => {
    waiting.resolve();
    waiting = Promise.withResolvers();
  };
  return {
    enter() {
      if (taken >= places) {
        const [longest] = idle;
        if (longest === undefined) return false;
        longest();
      }
      taken += 1;
      return true;
    },
    leave() {
      taken -= 1;
      wake();
    },
    rest(evict) {
      idle.add(evict);
      wake();
    },
    work: (evict) => void idle.delete(evict),
    freed: () => waiting.promise,
  };
}
