import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../../shared/consume-message.ts';
import { cordonSource } from '../../shared/event-envelope.ts';
import { type DetailParsers, parseMessage, parserOf } from '../../shared/inbound-message.ts';
import { type CorrelateDeps, correlate } from './correlate.ts';
import { observedEvents, type ProviderThrottled } from './events.ts';

type Throttled = { readonly type: 'ProviderThrottled'; readonly detail: ProviderThrottled };

export interface ApplyDeps extends CorrelateDeps, ConsumeDeps {
  /** Whose events count. */
  readonly platformAccountId: string;
}

const parsers: DetailParsers<Throttled> = { ProviderThrottled: parserOf('ProviderThrottled', observedEvents.ProviderThrottled) };

/** Applies one message of the queue; as `consumeMessage`. */
export function applyThrottledMessage(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<Throttled, 'EventHandlingFailed'> = {
    parse: (body) => parseMessage(body, { accountId: deps.platformAccountId, parsers, source: cordonSource }),
    apply: ({ detail: { tenantId, provider, credentialId, at } }, { eventId }, log) =>
      correlate({ ...deps, log }, { tenantId, provider, credentialId, at: Date.parse(at) }, eventId),
    // Nothing is left half done: what was kept stays true, and what was to be told is told by the next event of the two.
    abandon: async () => [],
    failureTypes: { ProviderThrottled: 'EventHandlingFailed' },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}
