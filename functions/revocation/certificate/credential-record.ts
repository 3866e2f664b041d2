import type { CredentialItem } from '../../tenants/registry.ts';
import type { EndedVersion } from '../ending.ts';
import type { Revocation } from '../revocation.ts';
import type { CredentialRecord, VersionRecord } from './certificate.ts';
import { type CertificateOf, endsCredential } from './in-scope.ts';
import { maybeTime, timeOf } from './time-text.ts';

export interface CredentialToTell {
  readonly record: CredentialRecord;
  /** The revocation that has to end it, when nothing has come of that yet. */
  readonly awaited: Pick<Revocation, 'revocationId' | 'inForceAt'> | undefined;
}

/** What a certificate says of a credential; undefined when none of the revocations that it tells of is about it. */
export function credentialToTell(item: CredentialItem, of: CertificateOf, told: readonly Revocation[]): CredentialToTell | undefined {
  if ('userId' in of && item.userId !== of.userId) return undefined;
  const [first] = told.filter((revocation) => endsCredential(revocation, item));
  const listed = first !== undefined || belongsTo(of, item);
  const revoked = told.flatMap((revocation) => revokedVersion(revocation, item));
  if (!listed && revoked.length === 0) return undefined;
  const ending = listed ? item.ending : undefined;
  const { credentialId, provider, source, userId, environment, status } = item;
  return {
    record: {
      kind: 'credential',
      ...{ credentialId, provider, source, userId, environment, status },
      ending: ending && {
        ...{ revocationId: ending.revocationId, requestedBy: ending.requestedBy, reason: ending.reason, incidentId: ending.incidentId },
        ...{ since: timeOf(ending.since), phase: ending.phase, straysAt: maybeTime(ending.straysAt) },
        ...{ stagedOutAt: maybeTime(ending.stagedOutAt), deletedAt: maybeTime(ending.deletedAt) },
      },
      versions: versionsOf(item, ending?.versions ?? [], revoked),
    },
    awaited: item.ending === undefined ? first : undefined,
  };
}

/** One that has an end belongs there, also when the revocation that ended it is not told of. */
function belongsTo(of: CertificateOf, { ending }: CredentialItem): boolean {
  if (ending === undefined || 'revocationId' in of) return false;
  if ('incidentId' in of) return ending.incidentId === of.incidentId;
  return true;
}

function revokedVersion({ scope, action, credentialId, versionId }: Revocation, item: CredentialItem): readonly string[] {
  return action === 'revoke' && scope === 'version' && credentialId === item.credentialId && versionId !== undefined ? [versionId] : [];
}

/** The keys that were there at the end, and those that were revoked one by one before. */
function versionsOf(item: CredentialItem, ended: readonly EndedVersion[], revoked: readonly string[]): VersionRecord[] {
  const known = new Set(ended.map(({ versionId }) => versionId));
  return [
    ...ended.map(({ versionId, keyId, revokedAt, confirmedAt, confirmation, attestedBy, proofId }) => ({
      ...{ versionId, keyId, revokedAt: maybeTime(revokedAt), confirmedAt: maybeTime(confirmedAt), confirmation, attestedBy, proofId },
    })),
    ...[...new Set(revoked)].filter((versionId) => !known.has(versionId)).map((versionId) => replaced(item, versionId)),
  ];
}

/** The registry holds a key until the provider was shown to refuse it: one that it has let go of is dead. When, the attribution log says. */
function replaced({ secretVersionId, previous, rotating, ending }: CredentialItem, versionId: string): VersionRecord {
  const ended = ending?.versions.find((version) => version.versionId === versionId);
  if (ended?.confirmation !== undefined) return { versionId, confirmation: ended.confirmation, confirmedAt: maybeTime(ended.confirmedAt) };
  const held = [
    secretVersionId,
    previous?.versionId,
    rotating?.pending?.versionId,
    ...(rotating?.older ?? []).map((older) => older.versionId),
  ];
  return held.includes(versionId) || ended !== undefined ? { versionId } : { versionId, confirmation: 'replaced' };
}
