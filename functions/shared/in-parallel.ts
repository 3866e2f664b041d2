/**
 * Does `work` for each item, at most `limit` at a time, and begins no more once `isOver` says so.
 *
 * @returns the results in the order of the items, as far as they were begun
 * @throws what the first work that fails throws, after all that was begun has ended
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  isOver: () => boolean,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Promise<Result>[] = [];
  const waiting = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (const item of waiting) {
      const result = work(item);
      results.push(result);
      await result;
      if (isOver()) return;
    }
  };
  const lanes = isOver() ? [] : Array.from({ length: Math.min(limit, items.length) }, lane);
  await Promise.allSettled(lanes);
  return Promise.all(results);
}
