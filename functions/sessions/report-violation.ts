import { z } from 'zod';
import type { Announcer } from '../shared/announcer.ts';
import type { commonFailures } from '../shared/failure-event.ts';
import type { VerifiedToken, VerifyToken } from './token-verifier.ts';

/** What IAM refused to a tenant's session, in Cordon's own terms: an action and the tenant's own path or key, never an ARN. */
export const violation = z.strictObject({
  operation: z.string().regex(/^[a-z0-9-]{1,32}:[A-Za-z]{1,64}$/),
  resource: z.string().regex(/^[A-Za-z0-9#./_-]{1,256}$/),
  code: z.string().regex(/^[A-Z_]{1,64}$/),
});
export type Violation = z.infer<typeof violation>;

export interface ReportDeps {
  readonly verify: VerifyToken;
  readonly announcer: Announcer<typeof commonFailures>;
}

/**
 * Publishes `IsolationViolationDetected` for the tenant that the token names: whoever reports can accuse no other.
 *
 * @throws CordonError TOKEN_REFUSED; PROVIDER_UNAVAILABLE | AWS_UNAVAILABLE | ACCESS_REFUSED
 */
export async function reportViolation({ verify, announcer }: ReportDeps, token: string, report: Violation): Promise<VerifiedToken> {
  const claims = await verify(token);
  await announcer.announce('IsolationViolationDetected', {
    version: 1,
    tenantId: claims.tenantId,
    event: {},
    reason: { code: report.code, message: messageOf(report) },
    left: [],
  });
  return claims;
}

function messageOf({ code, operation, resource }: Violation): string {
  if (code === 'CROSS_TENANT_USE') return `the broker refused ${operation} on ${resource}: its owner is not who called`;
  return `IAM refused ${operation} on ${resource} to a session of the tenant`;
}
