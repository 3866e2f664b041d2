import type { CredentialItem } from '../../tenants/registry.ts';
import { cutsOff, ends } from '../decide-revocation.ts';
import type { Revocation } from '../revocation.ts';
import type { UnconfirmedRecord, VersionRecord } from './certificate.ts';
import type { CredentialToTell } from './credential-record.ts';
import { timeOf } from './time-text.ts';

/** What a revocation is about besides credentials, and is not shown to be done. */
export function unconfirmedOf(revocation: Revocation): readonly UnconfirmedRecord[] {
  const { revocationId, scope, inForceAt, cutOff, connectionsEnded } = revocation;
  const found = { kind: 'unconfirmed', revocationId, since: timeOf(inForceAt) } as const;
  const sessions = cutsOff(revocation) && cutOff?.appliedAt === undefined && cutOff?.endedAt === undefined;
  const connections = ends(revocation) && scope === 'tenant' && connectionsEnded !== true;
  return [
    ...(sessions ? [{ ...found, what: 'sessions', why: 'SESSIONS_NOT_CUT_OFF' } as const] : []),
    ...(connections ? [{ ...found, what: 'connections', why: 'CONNECTIONS_NOT_ENDED' } as const] : []),
  ];
}

/** What of a credential is not shown: each key without a confirmation, and what else is left to do. */
export function unconfirmedIn(
  { record, awaited }: CredentialToTell,
  { ending }: Pick<CredentialItem, 'ending'>,
  told: readonly Revocation[],
): readonly UnconfirmedRecord[] {
  const { credentialId, provider, versions } = record;
  const found = { kind: 'unconfirmed', credentialId, provider } as const;
  const open = versions.filter(({ confirmation }) => confirmation === undefined);
  const keys = open.map((version) => ({
    ...{ ...found, what: 'key' as const, versionId: version.versionId, keyId: version.keyId },
    ...(record.ending && ending
      ? { revocationId: ending.revocationId, since: timeOf(ending.unconfirmedSince ?? ending.since), why: reasonOf(ending) }
      : notReplaced(record.credentialId, version, told)),
  }));
  if (awaited !== undefined) {
    const { revocationId, inForceAt } = awaited;
    return [{ ...found, what: 'credential', revocationId, since: timeOf(inForceAt), why: 'NOT_BEGUN' }, ...keys];
  }
  if (ending === undefined || record.ending === undefined || ending.phase === 'ended' || keys.length > 0) return keys;
  const { revocationId, since } = ending;
  return [{ ...found, what: 'credential', revocationId, since: timeOf(since), why: reasonOf(ending) }];
}

function reasonOf({ phase, problem }: NonNullable<CredentialItem['ending']>): string {
  if (phase === 'deleting') return 'SECRET_NOT_DELETED';
  return problem ?? (phase === 'unconfirmed' ? 'NOT_CONFIRMED' : 'UNDER_WAY');
}

/** A version that was revoked by itself, and is in force or on its way out still. */
function notReplaced(
  credentialId: string,
  { versionId }: VersionRecord,
  told: readonly Revocation[],
): Pick<UnconfirmedRecord, 'revocationId' | 'since' | 'why'> {
  const by = told.find((revocation) => revocation.credentialId === credentialId && revocation.versionId === versionId);
  return { revocationId: by?.revocationId, since: timeOf(by?.inForceAt ?? 0), why: 'NOT_REPLACED' };
}
