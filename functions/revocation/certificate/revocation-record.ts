import type { Revocation } from '../revocation.ts';
import type { RevocationRecord } from './certificate.ts';
import { maybeTime, timeOf } from './time-text.ts';

/** What a certificate says of a revocation. */
export function revocationRecordOf(revocation: Revocation): RevocationRecord {
  const { revocationId, action, scope, userId, agentId, sessionId, credentialId, versionId, cutOff, connectionsEnded } = revocation;
  const { requestedBy, reason, incidentId, requestedAt, inForceAt } = revocation;
  return {
    kind: 'revocation',
    ...{ revocationId, action, scope, userId, agentId, sessionId, credentialId, versionId },
    ...{ requestedBy, reason, incidentId, requestedAt, inForceAt: timeOf(inForceAt), connectionsEnded },
    sessions: cutOff && {
      issuedBefore: timeOf(cutOff.before),
      state: cutOff.appliedAt !== undefined ? 'cut-off' : cutOff.endedAt !== undefined ? 'ended-by-themselves' : 'open',
      cutOffAt: maybeTime(cutOff.appliedAt),
      policyVersionId: cutOff.policyVersionId,
      endedAt: maybeTime(cutOff.endedAt),
    },
  };
}
