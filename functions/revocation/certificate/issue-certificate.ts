import { canonicalJson, verifyEvidence } from '../../byoc/probe/sign-evidence.ts';
import { CordonError } from '../../shared/errors.ts';
import type { Registry, TenantItem } from '../../tenants/registry.ts';
import type { Counts } from '../events.ts';
import type { RevocationStore } from '../revocation-store.ts';
import { buildCertificate, type CertificateContent } from './build-certificate.ts';
import { algorithm, type CertificateHeader, certificateFormat } from './certificate.ts';
import { certificateIdOf } from './certificate-id.ts';
import type { CertificateSigner } from './certificate-signer.ts';
import type { CertificateStore, StoredCertificate } from './certificate-store.ts';
import type { CertificateOf } from './in-scope.ts';
import { fingerprintOf } from './public-key.ts';
import { type PartText, sha256Of, splitIntoParts } from './split-parts.ts';
import { timeOf } from './time-text.ts';

/** A tenant's own items, in a session of that tenant. */
export interface CertificateStores {
  readonly registry: Pick<Registry, 'user' | 'credentials'>;
  readonly revocations: Pick<RevocationStore, 'revocations'>;
  readonly certificates: CertificateStore;
}

export interface CertificateDeps {
  readonly signer: CertificateSigner;
}

export interface CertificateOrder {
  readonly stores: CertificateStores;
  readonly tenant: TenantItem;
  readonly of: CertificateOf;
  readonly requestedBy: string;
  /** The revocation at whose end it is made. */
  readonly revocationId?: string | undefined;
  /** The event that asked for it: with the same one, and nothing changed since, it is the same certificate. */
  readonly requestId?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface IssuedCertificate {
  readonly certificateId: string;
  readonly counts: Counts;
}

/**
 * Makes a certificate of what the registry says now, and keeps it in the tenant's own partition: parts first, the signed header last. Once more after a crash it finds
 * what it has left.
 *
 * @throws CordonError as `CertificateStore`, `CertificateSigner` and `Registry`
 */
export async function issueCertificate({ signer }: CertificateDeps, order: CertificateOrder): Promise<IssuedCertificate> {
  const { stores, of, requestedBy, revocationId, requestId } = order;
  const { tenantId } = order.tenant;
  const [user, revocations, credentials] = await Promise.all([
    'userId' in of ? stores.registry.user(tenantId, of.userId) : undefined,
    stores.revocations.revocations(tenantId),
    stores.registry.credentials(tenantId),
  ]);
  const content = buildCertificate({ of, user, revocations, credentials });
  const { subject, counts } = content;
  const certificateId = certificateIdOf({ tenantId, requestedBy, revocationId, requestId, ...content }, newestIn(content));
  const issued = await stores.certificates.certificate(tenantId, certificateId);
  if (issued !== undefined) return issuedOf(issued);

  const parts = splitIntoParts(certificateId, content.records);
  const common = { tenantId, requestedBy, epoch: 0, announced: true };
  for (const { number, text } of parts)
    await stores.certificates.addPart({ ...common, kind: 'CERTIFICATE-PART', certificateId, number, text });
  const publicKey = await signer.publicKey();
  const signing = { algorithm, keyArn: signer.keyArn, publicKeySha256: fingerprintOf(publicKey) } as const;
  const header = headerOf(order, { certificateId, content, parts, signing });
  const text = canonicalJson(header);
  const signature = await signer.sign(text);
  // What cannot be verified is no certificate, and had better not look like one.
  if (!verifyEvidence({ document: text, signature }, publicKey))
    throw new CordonError('AWS_UNAVAILABLE', 'the signature does not fit the key that was to make it', { retryable: true });
  return issuedOf(
    await stores.certificates.addCertificate({
      ...{ ...common, kind: 'CERTIFICATE', certificateId, issuedAt: header.issuedAt, subject, counts, revocationId },
      ...{ parts: parts.length, header: text, signature, algorithm, keyArn: signer.keyArn, publicKey },
    }),
  );
}

interface Made {
  readonly certificateId: string;
  readonly content: CertificateContent;
  readonly parts: readonly PartText[];
  readonly signing: CertificateHeader['signing'];
}

function headerOf({ tenant, requestedBy, revocationId, now }: CertificateOrder, made: Made): CertificateHeader {
  const { certificateId, content, parts, signing } = made;
  const { subject, counts, notKnown } = content;
  const { tenantId, displayName, tier, status } = tenant;
  return {
    ...{ format: certificateFormat, certificateId, tenant: { tenantId, displayName, tier, status }, subject },
    ...{ requestedBy, revocationId, issuedAt: timeOf(now), signing },
    ...{ complete: counts.unconfirmed === 0, counts, notKnown: [...notKnown] },
    parts: parts.map(({ text, records }) => ({ sha256: sha256Of(text), bytes: Buffer.byteLength(text), records })),
  };
}

function issuedOf({ certificateId, counts }: StoredCertificate): IssuedCertificate {
  const { credentials, versions, confirmed, unconfirmed } = counts;
  return { certificateId, counts: { credentials, versions, confirmed, unconfirmed } };
}

/** When the newest revocation in it came into force. Milliseconds since the epoch. */
function newestIn({ records }: CertificateContent): number {
  return records.reduce((newest, record) => (record.kind === 'revocation' ? Math.max(newest, Date.parse(record.inForceAt)) : newest), 0);
}
