import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../shared/consume-message.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { type CredentialId, isCredentialId } from '../shared/identifiers.ts';
import { type DetailParsers, type ParsedMessage, parseMessage, parserOf } from '../shared/inbound-message.ts';
import { type ParsedDue, parseDue } from '../sweep/parse-due.ts';
import { advanceRotation } from './advance-rotation.ts';
import { type CredentialSupplied, inboundEvents, type RotationRequested } from './events.ts';
import type { RotationDeps } from './rotation-deps.ts';
import { restMs } from './rotation-schedule.ts';

type RotationEvent =
  | { readonly type: 'RotationRequested'; readonly detail: RotationRequested }
  | { readonly type: 'CredentialSupplied'; readonly detail: CredentialSupplied };
type Due = Omit<ParsedDue['detail'], 'id'> & { readonly credentialId: CredentialId };
/** What comes out of the queue: the platform's events, and what the sweep found due. */
export type RotationMessage = RotationEvent | { readonly type: 'due'; readonly detail: Due };

export interface ApplyDeps extends RotationDeps, ConsumeDeps {
  /** Whose events count. */
  readonly platformAccountId: string;
}

const parsers: DetailParsers<RotationEvent> = {
  RotationRequested: parserOf('RotationRequested', inboundEvents.RotationRequested),
  CredentialSupplied: parserOf('CredentialSupplied', inboundEvents.CredentialSupplied),
};

/** Applies one message of the queue; as `consumeMessage`. */
export function applyRotationMessage(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<RotationMessage, 'CredentialRotationFailed'> = {
    parse: (body) => parse(body, deps.platformAccountId),
    apply: (event, delivery, log) => apply({ ...deps, log }, event, delivery),
    abandon: (event, _delivery, _failure, log) => abandon({ ...deps, log }, event),
    failureTypes: {
      RotationRequested: 'CredentialRotationFailed',
      CredentialSupplied: 'CredentialRotationFailed',
      due: 'CredentialRotationFailed',
    },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}

/** A message of the sweep says what it is; everything else is to be an EventBridge event. Only the sweep and the rules may put anything on this queue. */
function parse(body: string, accountId: string): ParsedMessage<RotationMessage> {
  const swept = parseDue(body, 'CREDENTIAL#');
  if (swept === undefined) return parseMessage(body, { accountId, parsers });
  if (!swept.believed) return swept;
  const { id: credentialId, ...due } = swept.event.detail;
  if (!isCredentialId(credentialId)) {
    const error = new CordonError('EVENT_INVALID', 'the message of the sweep is not valid: sk: is no credential');
    return { believed: false, identity: {}, error };
  }
  return { ...swept, event: { type: 'due', detail: { ...due, credentialId } } };
}

async function apply(deps: RotationDeps, { type, detail }: RotationMessage, { deadline, eventId }: Delivery): Promise<void> {
  const { tenantId, credentialId } = detail;
  if (type === 'RotationRequested') return advanceRotation(deps, { tenantId, credentialId, deadline, asked: { request: detail, eventId } });
  try {
    await advanceRotation(deps, { tenantId, credentialId, deadline, ...(type === 'due' && { dueAt: detail.dueAt }) });
  } catch (error) {
    // The sweep asks again in a minute: a message that came back besides would only be one more.
    if (!(error instanceof CordonError) || error.code !== 'AWS_UNAVAILABLE' || !error.retryable) throw error;
    deps.log.warn('a credential could not be reached; it is due still', { code: error.code, reason: error.message });
  }
}

/** A request that is given up has changed nothing. What is due and could not even be read is left alone for a while, or the sweep would send it each minute. */
async function abandon(deps: RotationDeps, { type, detail }: RotationMessage): Promise<string[]> {
  if (type !== 'due') return [];
  const { tenantId, credentialId, dueAt } = detail;
  try {
    const { registry } = await deps.openStores(tenantId);
    await registry.postponeCredential(tenantId, credentialId, { dueAt, until: deps.clock() + restMs });
  } catch (error) {
    deps.log.error('a credential could not be postponed', error, { tenantId, credentialId });
  }
  return [];
}
