import type { CredentialItem } from '../../tenants/registry.ts';
import type { CertificateRequested } from '../events.ts';
import type { Revocation } from '../revocation.ts';

/** What a certificate is asked for: of a user, an incident, the whole tenant, or one revocation. */
export type CertificateOf = CertificateRequested['of'] | { readonly revocationId: string };

type Scoped = Pick<CredentialItem, 'credentialId' | 'userId' | 'createdAt' | 'ending'>;
type Reach = Pick<Revocation, 'revocationId' | 'action' | 'scope' | 'userId' | 'credentialId' | 'inForceAt'>;

/**
 * True for a credential that a revocation has to end, or found ended by an earlier one. Not for what was made afterwards, e.g. once the tenant was reinstated; and a
 * single version's end is not the end of its credential.
 */
export function endsCredential(revocation: Reach, credential: Scoped): boolean {
  if (revocation.action !== 'revoke' && revocation.action !== 'offboard') return false;
  if (credential.ending?.revocationId === revocation.revocationId) return true;
  return reaches(revocation, credential) && Date.parse(credential.createdAt) <= revocation.inForceAt;
}

function reaches({ scope, userId, credentialId }: Reach, credential: Scoped): boolean {
  if (scope === 'tenant') return true;
  if (scope === 'user') return credential.userId !== undefined && credential.userId === userId;
  return scope === 'credential' && credential.credentialId === credentialId;
}

/** The revocations that a certificate tells of, in the order in which they came into force. */
export function revocationsOf(
  of: CertificateOf,
  revocations: readonly Revocation[],
  credentials: readonly Scoped[],
): readonly Revocation[] {
  const own = new Set(
    'userId' in of ? credentials.filter(({ userId }) => userId === of.userId).map(({ credentialId }) => credentialId) : [],
  );
  const told = (revocation: Revocation): boolean => {
    if ('revocationId' in of) return revocation.revocationId === of.revocationId;
    if ('incidentId' in of) return revocation.incidentId === of.incidentId;
    if ('tenant' in of) return true;
    // A user's credentials end with the tenant, too, and one by one.
    if (revocation.scope === 'tenant') return true;
    return revocation.userId === of.userId || (revocation.credentialId !== undefined && own.has(revocation.credentialId));
  };
  return revocations.filter(told).sort((a, b) => a.inForceAt - b.inForceAt || (a.revocationId < b.revocationId ? -1 : 1));
}
