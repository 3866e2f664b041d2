import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { commonFailures, failure } from '../shared/failure-event.ts';
import { credentialId, tenantId, userId } from '../shared/identifier-fields.ts';
import { credentialSpec, displayText, routingRule, tier } from './credential-spec.ts';

/**
 * Every event this capability takes and publishes, in one place: the zod schema is the contract, `schemas/events/` is generated from it.
 * Objects are strict: a misspelt member is refused, not ignored.
 */
const version = z.literal(1);
const rules = z.array(routingRule).max(100);

/** A new tenant with the credentials it starts with. */
export const tenantOnboarded = z
  .strictObject({
    version,
    tenantId,
    displayName: displayText,
    tier,
    requestedBy: displayText,
    credentials: z.array(credentialSpec).max(50),
    routing: rules.optional(),
  })
  .superRefine((detail, context) => {
    const seen = new Set<string>();
    for (const [index, credential] of detail.credentials.entries()) {
      const at = ['credentials', index];
      if (seen.has(credential.credentialId)) context.addIssue({ code: 'custom', path: [...at, 'credentialId'], message: 'appears twice' });
      seen.add(credential.credentialId);
      if (credential.source === 'federated' && detail.tier !== 'dedicated')
        context.addIssue({ code: 'custom', path: [...at, 'source'], message: 'federated needs tier dedicated' });
    }
    for (const [index, rule] of (detail.routing ?? []).entries()) {
      for (const member of ['use', 'backup'] as const) {
        const named = rule[member];
        if (named !== undefined && !seen.has(named))
          context.addIssue({ code: 'custom', path: ['routing', index, member], message: 'names no credential of this event' });
      }
    }
  });
export type TenantOnboarded = z.infer<typeof tenantOnboarded>;

/** A user of an existing tenant. Who they are is (issuer, subject); the user ID follows from it. */
export const userOnboarded = z.strictObject({
  version,
  tenantId,
  issuer: endpointUrl.meta({ format: 'uri' }),
  subject: displayText.max(255),
  displayName: displayText.optional(),
  requestedBy: displayText,
});
export type UserOnboarded = z.infer<typeof userOnboarded>;

/** One more credential for an existing tenant, or for one of its users. */
export const credentialRequested = z.strictObject({ version, tenantId, requestedBy: displayText, credential: credentialSpec });
export type CredentialRequested = z.infer<typeof credentialRequested>;

/** Replaces all routing rules of a tenant. */
export const routingRulesChanged = z.strictObject({ version, tenantId, requestedBy: displayText, rules });
export type RoutingRulesChanged = z.infer<typeof routingRulesChanged>;

/** Somebody who runs the platform wants decoys to plant where nobody but an intruder looks: the same ones each time it is asked. */
export const honeyRequested = z.strictObject({ version, tenantId, requestedBy: displayText });
export type HoneyRequested = z.infer<typeof honeyRequested>;

export const inboundEvents = {
  TenantOnboarded: tenantOnboarded,
  UserOnboarded: userOnboarded,
  CredentialRequested: credentialRequested,
  RoutingRulesChanged: routingRulesChanged,
  HoneyRequested: honeyRequested,
} as const;
export type InboundDetailType = keyof typeof inboundEvents;

const credentialOutcome = z.strictObject({
  credentialId,
  provider: providerName,
  source: credentialSpec.shape.source,
  userId: userId.optional(),
  environment: credentialSpec.shape.environment,
  /** `active`: vaulted and usable. `awaiting`: the customer has yet to hand it over. `recorded`: federated, nothing is stored for it. */
  status: z.enum(['active', 'awaiting', 'recorded']),
});
export type CredentialOutcome = z.infer<typeof credentialOutcome>;

export const outboundEvents = {
  TenantProvisioned: z.strictObject({ version, tenantId, tier, requestedBy: displayText, credentials: z.array(credentialOutcome) }),
  TenantProvisioningFailed: failure,
  UserProvisioned: z.strictObject({ version, tenantId, userId, requestedBy: displayText }),
  UserProvisioningFailed: failure,
  CredentialProvisioned: z.strictObject({ version, tenantId, requestedBy: displayText, credential: credentialOutcome }),
  CredentialProvisioningFailed: failure,
  RoutingRulesApplied: z.strictObject({ version, tenantId, requestedBy: displayText, rulesVersion: z.int().min(1) }),
  RoutingRulesFailed: failure,
  /** Names that are to be planted. Whoever uses one is no one who should be there. */
  HoneyPlanted: z.strictObject({
    version,
    tenantId,
    requestedBy: displayText,
    decoys: z.array(
      z.strictObject({
        /** Also what to ask the broker for, as `x-cordon-use-case`. */
        credentialId,
        provider: providerName,
        /** In Secrets Manager. */
        secretName: z.string(),
        /** True where a secret of that name exists, with a value that is good for nothing: of a dedicated tenant. */
        stored: z.boolean(),
      }),
    ),
  }),
  HoneyPlantingFailed: failure,
  ...commonFailures,
} as const;
export type OutboundDetailType = keyof typeof outboundEvents;

/** Detail types this capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = [
  'TenantOnboarded',
  'UserOnboarded',
  'CredentialRequested',
  'RoutingRulesChanged',
  'HoneyRequested',
];

/** Which event says that one of these could not be done. */
export const failedDetailType = {
  TenantOnboarded: 'TenantProvisioningFailed',
  UserOnboarded: 'UserProvisioningFailed',
  CredentialRequested: 'CredentialProvisioningFailed',
  RoutingRulesChanged: 'RoutingRulesFailed',
  HoneyRequested: 'HoneyPlantingFailed',
} as const satisfies Record<InboundDetailType, OutboundDetailType>;
export type FailedDetailType = (typeof failedDetailType)[InboundDetailType];
