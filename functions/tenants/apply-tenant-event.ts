import { CordonError } from '../shared/errors.ts';
import { abandonOnboarding } from './abandon-onboarding.ts';
import { changeRoutingRules } from './change-routing-rules.ts';
import { type FailedDetailType, type Failure, failedDetailType } from './events.ts';
import { type InboundEvent, type InboundMessage, parseMessage } from './inbound-message.ts';
import type { Inbox } from './inbox.ts';
import { onboardTenant } from './onboard-tenant.ts';
import { onboardUser } from './onboard-user.ts';
import { abandonRequest, requestCredential } from './request-credential.ts';
import type { Delivery, TenantsDeps } from './tenants-deps.ts';

export interface ApplyDeps extends TenantsDeps {
  readonly inbox: Inbox;
  /** Whose events count. */
  readonly accountId: string;
  /** After this many deliveries a message is given up. */
  readonly maxReceiveCount: number;
  /** 0 ≤ r < 1 */
  readonly random: () => number;
}

/** A message as the queue delivers it. */
export interface QueueMessage {
  readonly body: string;
  readonly receiptHandle: string;
  /** 1 for the first delivery. */
  readonly receiveCount: number;
}

/** SQS hides a message for at most twelve hours; a tenant does not wait longer than this for the next try. */
const maxDelaySeconds = 300;

/**
 * Applies one message. Returns when it is dealt with, which is also when it was put into the dead-letter queue with its reason and the failure was announced.
 *
 * @param deadline milliseconds since the epoch: when this run ends at the latest
 * @throws CordonError when the message is to be delivered again; it is hidden until then, twice as long each time
 */
export async function applyTenantEvent(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const parsed = parseMessage(message.body, deps.accountId);
  if (!parsed.believed) return giveUp(deps, message, parsed, parsed.error, []);
  const { event, envelope } = parsed;
  const delivery: Delivery = { eventId: envelope.id, time: envelope.time, deadline };
  const log = deps.log.with({
    tenantId: event.detail.tenantId,
    eventId: envelope.id,
    detailType: event.type,
    receiveCount: message.receiveCount,
  });
  try {
    await apply({ ...deps, log }, event, delivery);
  } catch (error) {
    const failure = error instanceof CordonError ? error : unexpected(error);
    log.error('an event could not be applied', error, { code: failure.code, retryable: failure.retryable });
    if (failure.retryable && message.receiveCount < deps.maxReceiveCount) {
      await delay({ ...deps, log }, message, failure);
      throw failure;
    }
    const left = await abandon({ ...deps, log }, event, delivery, failure);
    await giveUp(deps, message, parsed, failure, left);
  }
}

/** What nobody foresaw may pass; its message is not for others. */
function unexpected(cause: unknown): CordonError {
  return new CordonError('AWS_UNAVAILABLE', 'something unexpected happened; the log has it', { retryable: true, cause });
}

function apply(deps: TenantsDeps, { type, detail }: InboundEvent, delivery: Delivery): Promise<void> {
  switch (type) {
    case 'TenantOnboarded':
      return onboardTenant(deps, detail, delivery);
    case 'UserOnboarded':
      return onboardUser(deps, detail);
    case 'CredentialRequested':
      return requestCredential(deps, detail, delivery);
    case 'RoutingRulesChanged':
      return changeRoutingRules(deps, detail, delivery);
  }
}

/** Users and rules are one write each: there is nothing to undo. */
async function abandon(deps: TenantsDeps, { type, detail }: InboundEvent, delivery: Delivery, error: CordonError): Promise<string[]> {
  if (type === 'TenantOnboarded') return abandonOnboarding(deps, detail, delivery, error);
  if (type === 'CredentialRequested') return abandonRequest(deps, detail, delivery, error);
  return [];
}

/** 2, 4, 8 … seconds and up to half as much again, so that what failed together does not come back together; longer if the other side asked for it. */
export function delaySeconds(receiveCount: number, random: number, retryAfterSeconds = 0): number {
  const backoff = 2 ** Math.min(receiveCount, 10) * (1 + random / 2);
  return Math.ceil(Math.min(maxDelaySeconds, Math.max(backoff, retryAfterSeconds)));
}

async function delay(deps: ApplyDeps, message: QueueMessage, failure: CordonError): Promise<void> {
  const seconds = delaySeconds(message.receiveCount, deps.random(), failure.retryAfterSeconds);
  try {
    await deps.inbox.delay(message.receiptHandle, seconds);
  } catch (error) {
    // Then the queue's own visibility timeout decides: later, but delivered.
    deps.log.error('a message could not be delayed', error);
  }
}

/** First the message is safe, then the failure is told. If telling fails, the message is delivered again and put aside twice rather than lost. */
async function giveUp(deps: ApplyDeps, message: QueueMessage, parsed: InboundMessage, error: CordonError, left: string[]): Promise<void> {
  const { identity } = parsed;
  const reason = { code: error.code, message: error.message };
  await deps.inbox.putAside(message.body, reason);
  const detail: Failure = {
    version: 1,
    ...(identity.tenantId !== undefined && { tenantId: identity.tenantId }),
    event: {
      ...(identity.eventId !== undefined && { id: identity.eventId }),
      ...(identity.detailType !== undefined && { detailType: identity.detailType }),
    },
    reason,
    left,
  };
  await deps.announcer.announce(failureType(parsed), detail);
  if (error.code === 'ACCESS_REFUSED') await deps.announcer.announce('IsolationViolationDetected', detail);
  deps.log.warn('a message was put aside', {
    tenantId: identity.tenantId,
    eventId: identity.eventId,
    code: error.code,
    reason: error.message,
  });
}

function failureType(parsed: InboundMessage): FailedDetailType {
  const type = parsed.believed ? parsed.event.type : parsed.type;
  return type === undefined ? 'EventHandlingFailed' : failedDetailType[type];
}
