import { randomFillSync } from 'node:crypto';

/** Random numbers from 0 up to 1, as `Math.random`, but cryptographic; drawn in bulk, because each draw is a call into the system. */
export function createPooledRandomness(): () => number {
  const pool = new Uint8Array(1024);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    return (pool[used++] ?? 0) / 256;
  };
}
