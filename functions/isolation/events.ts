import { z } from 'zod';
import { commonFailures, failure } from '../shared/failure-event.ts';
import { tenantId } from '../shared/identifier-fields.ts';
import { displayText } from '../tenants/credential-spec.ts';

/** Every event this capability takes and publishes. What is found is `IsolationViolationDetected`, as from everybody else. */
const version = z.literal(1);
const count = z.int().min(0);

/** A tenant, or whoever runs Cordon in its name, wants to see the isolation tests pass. */
export const isolationVerificationRequested = z.strictObject({ version, tenantId, requestedBy: displayText });
export type IsolationVerificationRequested = z.infer<typeof isolationVerificationRequested>;

export const inboundEvents = { IsolationVerificationRequested: isolationVerificationRequested } as const;
export type InboundDetailType = keyof typeof inboundEvents;

export const outboundEvents = {
  /** The tests have run, whatever came of them. The signed result lies where `GET /v1/isolation` finds it. */
  IsolationVerified: z.strictObject({
    version,
    tenantId,
    verificationId: z.string().min(1).max(64),
    requestedBy: displayText,
    passed: count,
    failed: count,
    notVerified: count,
  }),
  /** They could not be run to their end. */
  IsolationVerificationFailed: failure,
  ...commonFailures,
} as const;

/** Detail types this capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = ['IsolationVerificationRequested'];
