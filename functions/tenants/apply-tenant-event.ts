import { type ConsumeDeps, type Consumer, consumeMessage, type QueueMessage } from '../shared/consume-message.ts';
import type { Delivery } from '../shared/delivery.ts';
import type { CordonError } from '../shared/errors.ts';
import { parseMessage } from '../shared/inbound-message.ts';
import { abandonOnboarding } from './abandon-onboarding.ts';
import { changeRoutingRules } from './change-routing-rules.ts';
import { type FailedDetailType, failedDetailType } from './events.ts';
import { type InboundEvent, parsers } from './inbound-message.ts';
import { onboardTenant } from './onboard-tenant.ts';
import { onboardUser } from './onboard-user.ts';
import { plantDecoys } from './plant-decoys.ts';
import { abandonRequest, requestCredential } from './request-credential.ts';
import type { TenantsDeps } from './tenants-deps.ts';

export interface ApplyDeps extends TenantsDeps, ConsumeDeps {
  /** Whose events count. */
  readonly accountId: string;
}

/** Applies one message to the tenant that it names; as `consumeMessage`. */
export function applyTenantEvent(deps: ApplyDeps, message: QueueMessage, deadline: number): Promise<void> {
  const consumer: Consumer<InboundEvent, FailedDetailType> = {
    parse: (body) => parseMessage(body, { accountId: deps.accountId, parsers }),
    apply: (event, delivery, log) => apply({ ...deps, log }, event, delivery),
    abandon: (event, delivery, failure, log) => abandon({ ...deps, log }, event, delivery, failure),
    failureTypes: failedDetailType,
    announceFailure: (type, detail) => deps.announcer.announce(type, detail),
  };
  return consumeMessage(deps, consumer, message, deadline);
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
    case 'HoneyRequested':
      return plantDecoys(deps, detail);
  }
}

/** Users and rules are one write each: there is nothing to undo. A decoy that is stored already is good for nothing, and goes with its tenant. */
async function abandon(deps: TenantsDeps, { type, detail }: InboundEvent, delivery: Delivery, error: CordonError): Promise<string[]> {
  if (type === 'TenantOnboarded') return abandonOnboarding(deps, detail, delivery, error);
  if (type === 'CredentialRequested') return abandonRequest(deps, detail, delivery, error);
  return [];
}
