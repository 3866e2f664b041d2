import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../shared/consume-message.ts';
import type { Delivery } from '../shared/delivery.ts';
import { type DetailParsers, type ParsedMessage, parseMessage, parserOf } from '../shared/inbound-message.ts';
import { type ParsedDue, parseDue } from '../sweep/parse-due.ts';
import { advanceRevocation } from './advance-revocation.ts';
import { type AccessEvent, askedBy } from './asked.ts';
import { confirmRevocation } from './confirm-revocation.ts';
import { type CertificateRequested, inboundEvents, type RevocationConfirmed } from './events.ts';
import { requestCertificate } from './request-certificate.ts';
import { requestRevocation } from './request-revocation.ts';
import { revocationPrefix } from './revocation.ts';
import type { RevocationDeps } from './revocation-deps.ts';

type RevocationEvent =
  | AccessEvent
  | { readonly type: 'RevocationConfirmed'; readonly detail: RevocationConfirmed }
  | { readonly type: 'CertificateRequested'; readonly detail: CertificateRequested };
/** What comes out of the queue: the platform's events, and what the sweep found due. */
export type RevocationMessage = RevocationEvent | ParsedDue;

export interface ApplyDeps extends RevocationDeps, ConsumeDeps {
  /** Whose events count. */
  readonly platformAccountId: string;
}

/** What is due and cannot even be read is left alone so long, or the sweep would send it each minute. */
const restMs = 3_600_000;

const parsers: DetailParsers<RevocationEvent> = {
  RevocationRequested: parserOf('RevocationRequested', inboundEvents.RevocationRequested),
  TenantOffboarded: parserOf('TenantOffboarded', inboundEvents.TenantOffboarded),
  UserOffboarded: parserOf('UserOffboarded', inboundEvents.UserOffboarded),
  AccessSuspended: parserOf('AccessSuspended', inboundEvents.AccessSuspended),
  AccessReinstated: parserOf('AccessReinstated', inboundEvents.AccessReinstated),
  RevocationConfirmed: parserOf('RevocationConfirmed', inboundEvents.RevocationConfirmed),
  CertificateRequested: parserOf('CertificateRequested', inboundEvents.CertificateRequested),
};

/** Applies one message of the queue; as `consumeMessage`. */
export function applyRevocationMessage(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<RevocationMessage, 'RevocationFailed' | 'CertificateFailed'> = {
    parse: (body) => parse(body, deps.platformAccountId),
    apply: (event, delivery, log) => apply({ ...deps, log }, event, delivery),
    abandon: (event, _delivery, _failure, log) => abandon({ ...deps, log }, event),
    failureTypes: {
      RevocationRequested: 'RevocationFailed',
      TenantOffboarded: 'RevocationFailed',
      UserOffboarded: 'RevocationFailed',
      AccessSuspended: 'RevocationFailed',
      AccessReinstated: 'RevocationFailed',
      RevocationConfirmed: 'RevocationFailed',
      CertificateRequested: 'CertificateFailed',
      due: 'RevocationFailed',
    },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}

/** A message of the sweep says what it is; everything else is to be an EventBridge event. */
function parse(body: string, accountId: string): ParsedMessage<RevocationMessage> {
  return parseDue(body, revocationPrefix) ?? parseMessage(body, { accountId, parsers });
}

async function apply(deps: RevocationDeps, event: RevocationMessage, delivery: Delivery): Promise<void> {
  if (event.type === 'RevocationConfirmed') return confirmRevocation(deps, event.detail, delivery);
  if (event.type === 'CertificateRequested') return requestCertificate(deps, event.detail, delivery);
  if (event.type !== 'due') return requestRevocation(deps, askedBy(event), delivery);
  const { tenantId, id: revocationId, dueAt } = event.detail;
  return advanceRevocation(deps, { tenantId, revocationId, dueAt, deadline: delivery.deadline });
}

/** What was asked for in vain has changed nothing. What is in force stays so, and is due again. */
async function abandon(deps: RevocationDeps, event: RevocationMessage): Promise<string[]> {
  if (event.type !== 'due') return [];
  const { tenantId, id: revocationId, dueAt } = event.detail;
  try {
    const { revocations } = await deps.openStores(tenantId);
    await revocations.postpone(tenantId, revocationId, { dueAt, until: deps.clock() + restMs });
  } catch (error) {
    deps.log.error('a revocation could not be postponed', error, { tenantId, revocationId });
  }
  return ['what was revoked stays revoked; what follows from it is tried again'];
}
