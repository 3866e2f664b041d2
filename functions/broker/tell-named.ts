import { likelyDecoysIn, maxNamesTold } from '../isolation/honey/decoy-shape.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { ReportNamed } from '../shared/report-named.ts';
import type { ProxyCall } from './proxy-event.ts';

/**
 * Tells what a call asks for a credential by, where that may be a decoy's name. Does not throw, and decides nothing: the call becomes what it would become with any other name, so that its
 * answer tells nobody that this one is a decoy.
 */
export type TellNamed = (call: Pick<ProxyCall, 'caller' | 'headers' | 'token' | 'requestId'>) => Promise<void>;

/** The same names of the same caller are told once in so many milliseconds: more would tell no more. */
const windowMs = 60_000;
/** Names that are kept; one more than that, and they are told again. */
const maxNames = 100;

/** An environment has one tenant, so that what it remembers is that tenant's. */
export function createTellNamed(deps: { readonly report: ReportNamed; readonly clock: Clock; readonly log: Log }): TellNamed {
  const told = new Map<string, number>();
  return async ({ caller, headers, token, requestId }) => {
    const likely = namedIn(headers);
    if (likely.length === 0) return;
    const now = deps.clock();
    const keyOf = (name: string): string => JSON.stringify([caller.userId, caller.agentId, caller.sessionId, name]);
    const names = likely.filter((name) => now - (told.get(keyOf(name)) ?? -windowMs) >= windowMs).slice(0, maxNamesTold);
    if (names.length === 0) return;
    if (told.size >= maxNames) told.clear();
    for (const name of names) told.set(keyOf(name), now);
    try {
      await deps.report(token, names);
    } catch (error) {
      for (const name of names) told.delete(keyOf(name));
      deps.log.error('what a call has named could not be told', error, { requestId, lost: true });
    }
  };
}

/** In the `x-cordon-` headers. */
function namedIn(headers: ProxyCall['headers']): readonly string[] {
  return likelyDecoysIn(Object.keys(headers).flatMap((name) => (name.startsWith('x-cordon-') ? (headers[name] ?? '') : [])));
}
