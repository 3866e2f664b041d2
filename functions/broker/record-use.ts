import type { IntentEntry, Outcome } from '../attribution/attribution-entry.ts';
import { dayOf, partitionOf } from '../attribution/attribution-item.ts';
import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { Asked } from './asked.ts';
import type { CredentialFacts } from './catalogue.ts';
import type { ProxyCall } from './proxy-event.ts';
import { unavailable } from './unavailable.ts';

export interface Use {
  readonly call: Pick<ProxyCall, 'caller' | 'requestId' | 'method' | 'path' | 'provider'>;
  readonly asked: Asked;
  readonly credential: CredentialFacts;
  /** Which version of the secret is used; undefined for one that was never read. */
  readonly credentialVersion: string | undefined;
  /** Of a backup: the credential in whose place it is used. */
  readonly backupFor?: CredentialId | undefined;
}

export interface RecordDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly wait: (ms: number) => Promise<void>;
}

/** Before an outcome is tried again, in milliseconds: the call is over, and losing its outcome would be worse than taking longer. */
const repeatsMs = [100, 500, 1500];
const maxPathLength = 256;

/** Makes the entry of what is about to be done. Paths are kept without their query, which may hold what a caller thinks is nobody's business. */
export function intentOf({ clock, nextId }: Pick<RecordDeps, 'clock' | 'nextId'>, use: Use): IntentEntry {
  const { call, asked, credential } = use;
  const { caller } = call;
  return {
    id: nextId(),
    at: new Date(clock()).toISOString(),
    kind: 'INTENT',
    tenantId: caller.tenantId,
    actor: {
      function: 'broker',
      requestedBy: caller.subject,
      userId: caller.userId,
      ...(caller.agentId !== undefined && { agentId: caller.agentId }),
      ...(caller.sessionId !== undefined && { sessionId: caller.sessionId }),
    },
    operation: 'provider.call',
    provider: call.provider,
    credentialId: credential.credentialId,
    ...(use.credentialVersion !== undefined && { credentialVersion: use.credentialVersion }),
    context: {
      requestId: call.requestId,
      issuer: caller.issuer,
      method: call.method,
      path: call.path.slice(0, maxPathLength),
      environment: credential.environment,
      ...(caller.role !== undefined && { role: caller.role }),
      ...(use.backupFor !== undefined && { backupFor: use.backupFor }),
    },
    ...(Object.keys(asked.asserted).length > 0 && { asserted: asked.asserted }),
  };
}

/**
 * No entry, no use.
 *
 * @throws CordonError ATTRIBUTION_UNAVAILABLE | ACCESS_REFUSED
 */
export function recordIntent(store: Pick<AttributionStore, 'record'>, intent: IntentEntry): Promise<void> {
  const asked = { operation: 'dynamodb:PartiQLInsert', resource: partitionOf(intent.tenantId, dayOf(intent.id)) };
  return unavailable('ATTRIBUTION_UNAVAILABLE', 'The use could not be recorded, so the call was not made. Try again.', asked, () =>
    store.record(intent),
  );
}

/** A use whose intent is on its way into the record. */
export interface Begun {
  readonly use: Use;
  readonly intent: IntentEntry;
  /** Rejects as `recordIntent` does. */
  readonly recorded: Promise<void>;
}

/** Has the intent recorded without waiting for it: whoever goes on has to. */
export function beginUse(deps: Pick<RecordDeps, 'clock' | 'nextId'>, store: Pick<AttributionStore, 'record'>, use: Use): Begun {
  const intent = intentOf(deps, use);
  const recorded = recordIntent(store, intent);
  // Heard by whoever waits for it; a call that is refused meanwhile may not come to that.
  recorded.catch(() => undefined);
  return { use, intent, recorded };
}

/** Does not throw: what happened has happened. Without an outcome the entry reads as `unknown`, which is then true. */
export async function recordOutcome(
  deps: RecordDeps,
  store: Pick<AttributionStore, 'record'>,
  intent: IntentEntry,
  outcome: Outcome,
): Promise<void> {
  const entry = { ...intent, kind: 'OUTCOME', at: new Date(deps.clock()).toISOString(), outcome } as const;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await store.record(entry);
    } catch (error) {
      const pause = repeatsMs[attempt];
      if (pause === undefined || !(error instanceof CordonError) || !error.retryable) {
        deps.log.error('an outcome could not be recorded', error, {
          tenantId: intent.tenantId,
          attributionId: intent.id,
          result: outcome.result,
          lost: true,
        });
        return;
      }
      await deps.wait(pause);
    }
  }
}
