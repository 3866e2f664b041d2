import { z } from 'zod';
import { commonFailures, failure } from '../../shared/failure-event.ts';
import { displayText } from '../../tenants/credential-spec.ts';

/** Every event that the audit of policies takes and publishes. What it finds is `IsolationViolationDetected`, as from everybody else. */
const version = z.literal(1);
const count = z.int().min(0);

/** An operator wants to see the deployed policies compared now, not at night. */
export const policyAuditRequested = z.strictObject({ version, requestedBy: displayText });
export type PolicyAuditRequested = z.infer<typeof policyAuditRequested>;

export const inboundEvents = { PolicyAuditRequested: policyAuditRequested } as const;
export type InboundDetailType = keyof typeof inboundEvents;

export const outboundEvents = {
  /** The policies were compared; each finding has been an event before. */
  PoliciesAudited: z.strictObject({
    version,
    auditId: z.string().min(1).max(64),
    /** The request's; left out for the daily run. */
    eventId: z.string().min(1).max(128).optional(),
    /** Things that were compared: boundaries, trust policies, queues’ policies … */
    compared: count,
    findings: z.strictObject({ grantsAcross: count, drift: count, incomplete: count }),
  }),
  PolicyAuditFailed: failure,
  ...commonFailures,
} as const;

/** Detail types this part of the capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = ['PolicyAuditRequested'];
