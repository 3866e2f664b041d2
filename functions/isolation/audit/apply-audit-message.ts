import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../../shared/consume-message.ts';
import { type DetailParsers, parseMessage, parserOf } from '../../shared/inbound-message.ts';
import { type AuditDeps, auditPolicies } from './audit-policies.ts';
import { inboundEvents, type PolicyAuditRequested } from './events.ts';

interface AuditEvent {
  readonly type: 'PolicyAuditRequested';
  /** About no tenant: about the deployment. */
  readonly detail: PolicyAuditRequested & { readonly tenantId?: never };
}
const parsers: DetailParsers<AuditEvent> = { PolicyAuditRequested: parserOf('PolicyAuditRequested', inboundEvents.PolicyAuditRequested) };

/** Applies one request; as `consumeMessage`. A request that comes twice is an audit more: it changes nothing. */
export function applyAuditMessage(deps: AuditDeps & ConsumeDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<AuditEvent, 'PolicyAuditFailed'> = {
    parse: (body) => parseMessage(body, { accountId: deps.cell.accountId, parsers }),
    apply: (_, { eventId }, log) => auditPolicies({ ...deps, log }, eventId),
    // Nothing is half done: an audit only looks.
    abandon: async () => [],
    failureTypes: { PolicyAuditRequested: 'PolicyAuditFailed' },
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
}
