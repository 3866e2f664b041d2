import { buildCertificate } from '../revocation/certificate/build-certificate.ts';
import type { CertificateRecord, CredentialRecord } from '../revocation/certificate/certificate.ts';
import type { Revocation } from '../revocation/revocation.ts';
import { CordonError } from '../shared/errors.ts';
import { listedRevocation } from './list-revocations.ts';
import type { RevocationAnswer } from './revocations-answer.ts';
import type { OpenedTenant } from './tenant-view.ts';

/** What one answer has room for: Lambda's answers end at 6 MB (AWS Lambda Developer Guide, "Lambda quotas"). */
const maxUnconfirmed = 4000;
const maxCredentials = 1000;
const maxKeys = 8000;

/**
 * A revocation with all that is not confirmed of it, and how far each of its credentials is: what a certificate would say now.
 *
 * @throws CordonError REVOCATION_UNKNOWN, for the caller to read; and as the view
 */
export async function showRevocation({ tenantId, view }: OpenedTenant, revocationId: string): Promise<RevocationAnswer> {
  const found = await revocationOf({ tenantId, view }, revocationId);
  const { records } = buildCertificate({
    of: { revocationId },
    revocations: [found],
    credentials: await view.registry.credentials(tenantId),
  });
  const unconfirmed = records.flatMap((record) => (record.kind === 'unconfirmed' ? [withoutKind(record)] : []));
  const open = new Set(unconfirmed.map(({ credentialId }) => credentialId));
  const all = records.flatMap((record) => (record.kind === 'credential' ? [withoutKind(record)] : []));
  const sorted = [
    ...all.filter(({ credentialId }) => open.has(credentialId)),
    ...all.filter(({ credentialId }) => !open.has(credentialId)),
  ];
  const credentials = withinRoom(sorted);
  const shown = unconfirmed.slice(0, maxUnconfirmed);
  const leftOut = { unconfirmed: unconfirmed.length - shown.length, credentials: all.length - credentials.length };
  return { tenantId, ...listedRevocation(found), unconfirmed: shown, credentials, leftOut };
}

/** @throws CordonError REVOCATION_UNKNOWN: another tenant's is as unknown as one that never was */
export async function revocationOf({ tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>, revocationId: string): Promise<Revocation> {
  const found = /^[A-Za-z0-9._:-]{1,64}$/.test(revocationId) ? await view.revocations.revocation(tenantId, revocationId) : undefined;
  if (found === undefined) throw new CordonError('REVOCATION_UNKNOWN', 'there is no such revocation');
  return found;
}

function withinRoom(credentials: readonly Omit<CredentialRecord, 'kind'>[]): readonly Omit<CredentialRecord, 'kind'>[] {
  let keys = 0;
  const fitting = credentials.slice(0, maxCredentials).findIndex(({ versions }) => {
    keys += versions.length;
    return keys > maxKeys;
  });
  return credentials.slice(0, fitting === -1 ? maxCredentials : fitting);
}

function withoutKind<Record extends CertificateRecord>({ kind: _, ...rest }: Record): Omit<Record, 'kind'> {
  return rest;
}
