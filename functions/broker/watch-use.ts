import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { admit, isRevokedSince } from './gate.ts';
import type { PreparedUse } from './prepare-use.ts';
import type { TenantStores } from './tenant-environment.ts';
import { type WatchTimes, watchGate } from './watch-gate.ts';

/** Stores in a session that lasts as long as the call, which may be longer than any one session does. */
export interface Lasting<Stores> {
  current(): Stores;
  /** Has a new session opened in good time, without waiting for it. */
  keep(): void;
}

const renewBeforeMs = 120_000;
/** With less than this left, what remains is kept for the outcome. */
const lastMs = 20_000;

/** @param renew opens stores in a session that lasts; while the present one does, it may fail */
export function createLastingStores<Stores extends { readonly session: Pick<TenantStores['session'], 'expiresAt'> }>(
  first: Stores,
  renew: () => Promise<Stores>,
  clock: Clock,
): Lasting<Stores> {
  let stores = first;
  let renewing = false;
  return {
    current: () => stores,
    keep() {
      const leftMs = stores.session.expiresAt - clock();
      if (leftMs < renewBeforeMs && !renewing) {
        renewing = true;
        renew().then(
          (renewed) => {
            stores = renewed;
            renewing = false;
          },
          () => {
            renewing = false;
          },
        );
      }
      if (leftMs < lastMs) throw new CordonError('SESSION_UNAVAILABLE', 'The tenant session ended and could not be renewed.');
    },
  };
}

/**
 * Asks the gate, while the call is open, what was asked before it: also a credential that is active again ends it, if it was revoked in between.
 *
 * @param cut is called once, with the reason
 * @returns stops watching
 */
export function watchUse(
  { admitted }: PreparedUse,
  lasting: Lasting<Pick<TenantStores, 'session' | 'watch'>>,
  times: WatchTimes,
  cut: (reason: CordonError) => void,
): () => void {
  const { question, credential, epochs } = admitted;
  return watchGate(
    async () => {
      lasting.keep();
      const now = admit(await lasting.current().watch.read(question), credential);
      if (isRevokedSince(epochs, now)) throw new CordonError('CREDENTIAL_REVOKED', 'The credential for this call was revoked.');
    },
    cut,
    times,
  );
}
