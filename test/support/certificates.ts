/** Registry items that certificates are made from, a key to sign them with, and a whole certificate. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { assembleFile } from '../../functions/revocation/certificate/assemble-file.ts';
import type { CertificateFile } from '../../functions/revocation/certificate/certificate.ts';
import type { CertificateSigner } from '../../functions/revocation/certificate/certificate-signer.ts';
import type { CertificateOf } from '../../functions/revocation/certificate/in-scope.ts';
import { type CertificateStores, issueCertificate } from '../../functions/revocation/certificate/issue-certificate.ts';
import type { Ending } from '../../functions/revocation/ending.ts';
import { type Revocation, revocation } from '../../functions/revocation/revocation.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { type CredentialItem, credentialItem, type TenantItem, tenantItem } from '../../functions/tenants/registry.ts';
import { createMemoryCertificateStore } from '../contracts/fakes/memory-certificate-store.ts';

export const acme = tenantId.parse('acme');
export const ann = userId.parse(userIdOf('https://idp.example', 'ann'));
export const madeAt = Date.parse('2026-11-01T00:00:00Z');
export const revokedAt = Date.parse('2026-11-21T12:00:00Z');

const written = { tenantId: 'acme', epoch: 1, version: 3, writeId: 'w', announced: true, requestedBy: 'ops' };
const times = { createdAt: new Date(madeAt).toISOString(), updatedAt: new Date(revokedAt).toISOString() };

export function aTenant(): TenantItem {
  return tenantItem.parse({
    ...{ ...written, ...times, kind: 'TENANT', status: 'offboarded', displayName: 'Acme & Sons', tier: 'pool', attempt: 1, leaseUntil: 0 },
    ...{ accounts: {}, plan: [], rules: [], rulesVersion: 0, rulesEventIds: [], rulesAnnounced: true },
  });
}

export function aRevocation(change: Partial<Record<keyof Revocation, unknown>> = {}): Revocation {
  return revocation.parse({
    ...{ ...written, ...times, attempt: 1, leaseUntil: 0, kind: 'REVOCATION', revocationId: 'r-1', action: 'offboard', scope: 'tenant' },
    ...{
      requestedBy: 'ann@acme.example',
      reason: 'contract ended',
      requestedAt: new Date(revokedAt).toISOString(),
      inForceAt: revokedAt + 800,
    },
    ...{ status: 'done', told: true, marked: true, connectionsEnded: true, setbacks: 0 },
    cutOff: { id: 'r-1', before: revokedAt + 800, appliedAt: revokedAt + 2000, policyVersionId: 'v7' },
    counts: { credentials: 0, versions: 0, confirmed: 0, unconfirmed: 0 },
    ...change,
  });
}

export function anEnding(change: Partial<Ending> = {}): Ending {
  return {
    ...{ revocationId: 'r-1', requestedBy: 'ann@acme.example', reason: 'contract ended', since: revokedAt + 900, phase: 'ended' },
    ...{ heldUntil: 0, nextAt: 0, probes: 1, setbacks: 0, announced: true },
    ...{ straysAt: revokedAt + 3000, stagedOutAt: revokedAt + 3500, deletedAt: revokedAt + 5000 },
    versions: [confirmedVersion('1')],
    ...change,
  };
}

export function confirmedVersion(n: string): Ending['versions'][number] {
  const proofId = '01KAHZ3V9QXJ5T7N2M8R4W6Y0B';
  return {
    versionId: versionId(n),
    keyId: `key_${n}`,
    revokedAt: revokedAt + 2500,
    confirmedAt: revokedAt + 4000,
    confirmation: 'refused',
    proofId,
  };
}

export function versionId(n: string): string {
  return n.padStart(32, '0');
}

/** A credential that is ended; without `ending` when that is named as undefined. */
export function aCredentialItem(id: string, change: Partial<Record<keyof CredentialItem, unknown>> = {}): CredentialItem {
  return credentialItem.parse({
    ...{ ...written, ...times, attempt: 1, leaseUntil: 0, kind: 'CREDENTIAL', credentialId: id, provider: 'openai' },
    ...{ source: 'platform-issued', environment: 'production', tier: 'pool', status: 'revoked', secretMayExist: true, ending: anEnding() },
    ...change,
  });
}

export function aSigner(): CertificateSigner & { readonly pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    pem,
    keyArn: 'arn:aws:kms:us-east-1:111122223333:key/evidence',
    publicKey: async () => pem,
    sign: async (text) => sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'der' }).toString('base64'),
  };
}

export interface RegistryFacts {
  readonly revocations: readonly Revocation[];
  readonly credentials: readonly CredentialItem[];
}

export function storesOf({ revocations, credentials }: RegistryFacts, now = revokedAt + 10_000): CertificateStores {
  const clock = (): number => now;
  return {
    registry: { user: async () => undefined, credentials: async () => credentials },
    revocations: { revocations: async () => revocations },
    certificates: createMemoryCertificateStore({ clock, nextId: createIds(clock) }),
  };
}

/** Issues a certificate and answers its file. */
export async function certificateOf(
  facts: RegistryFacts,
  signer: CertificateSigner,
  of: CertificateOf = { tenant: true },
): Promise<CertificateFile> {
  const stores = storesOf(facts);
  const { certificateId } = await issueCertificate(
    { signer },
    { stores, tenant: aTenant(), of, requestedBy: 'auditor', now: revokedAt + 10_000 },
  );
  const stored = await stores.certificates.certificate(acme, certificateId);
  if (stored === undefined) throw new Error('no certificate is stored');
  return assembleFile(stored, await stores.certificates.parts(acme, certificateId));
}
