import type { Clock } from '../shared/clock.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import type { SecretText } from '../shared/secret-text.ts';

/** A changed admin key is taken up after this long at the latest. */
const keepMs = 5 * 60_000;

/** Reads an admin key at its first use and again every five minutes. */
export function createAdminKey(deps: { clock: Clock; read: () => Promise<SecretText> }): () => Promise<SecretText> {
  const cache = createExpiringCache<SecretText>({ clock: deps.clock, capacity: 1, marginMs: 0 });
  return () => cache.get('admin', async () => ({ value: await deps.read(), expiresAt: deps.clock() + keepMs }));
}
