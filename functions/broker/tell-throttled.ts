import { windowOf } from '../isolation/limits/together.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { ProxyCall } from './proxy-event.ts';
import type { ReportThrottled } from './tenant-session.ts';

/** Tells that a call with this credential was answered with 429. Never rejects: no call depends on it. */
export type TellThrottled = (call: Pick<ProxyCall, 'token' | 'provider' | 'requestId'>, credentialId: CredentialId) => Promise<void>;

/**
 * Once per credential and window, however many calls are throttled: more would tell no more, and who is throttled is busy enough. An environment has one tenant, so that
 * what is remembered is as much as that tenant has credentials.
 */
export function createTellThrottled(deps: { readonly report: ReportThrottled; readonly clock: Clock; readonly log: Log }): TellThrottled {
  const told = new Map<CredentialId, number>();
  return async ({ token, provider, requestId }, credentialId) => {
    const at = deps.clock();
    const window = windowOf(at);
    if (told.get(credentialId) === window) return;
    told.set(credentialId, window);
    try {
      await deps.report(token, { provider, credentialId, at: new Date(at).toISOString() });
    } catch (error) {
      const code = error instanceof CordonError ? error.code : 'INTERNAL';
      deps.log.warn('that a provider throttles could not be told', { requestId, provider, credentialId, code });
    }
  };
}
