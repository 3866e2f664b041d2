import { z } from 'zod';
import { providerName } from '../../providers/provider-name.ts';
import { credentialId, tenantId, userId } from '../../shared/identifier-fields.ts';
import { storedCredential, tier } from '../../tenants/credential-spec.ts';
import { credentialItem, tenantItem } from '../../tenants/registry.ts';
import { confirmation, ending } from '../ending.ts';
import { actions, incidentId, revocationId, scopes } from '../events.ts';

/**
 * What a certificate says, for whoever checks it later without Cordon: strict, versioned by `format`, all times in UTC. It has a header, which is signed, and parts, whose
 * hashes are in the header: a tenant may have thousands of credentials, and DynamoDB's items end at 400 KB. No secret is ever in one.
 */
const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

export const certificateFormat = 'cordon-certificate/1';
export const partFormat = 'cordon-certificate-part/1';
export const algorithm = 'ECDSA_SHA_256';

/** What a certificate is about. */
export const certificateSubject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tenant') }),
  /** Issuer and subject when the tenant has registered them. */
  z.strictObject({ kind: z.literal('user'), userId, issuer: z.string().optional(), subject: z.string().optional() }),
  z.strictObject({ kind: z.literal('incident'), incidentId }),
  z.strictObject({ kind: z.literal('revocation'), revocationId }),
]);
export type CertificateSubject = z.infer<typeof certificateSubject>;

/** What somebody asked for. */
export const revocationRecord = z.strictObject({
  kind: z.literal('revocation'),
  revocationId,
  action: z.enum(actions),
  scope: z.enum(scopes),
  userId: userId.optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  credentialId: credentialId.optional(),
  versionId: z.string().optional(),
  requestedBy: z.string(),
  reason: z.string(),
  incidentId: incidentId.optional(),
  requestedAt: time,
  /** Since when each use was decided by it. */
  inForceAt: time,
  /** AWS sessions that were issued before it. */
  sessions: z
    .strictObject({
      issuedBefore: time,
      /** `ended-by-themselves`: they were over before the policy had to be asked. */
      state: z.enum(['cut-off', 'ended-by-themselves', 'open']),
      cutOffAt: time.optional(),
      policyVersionId: z.string().optional(),
      endedAt: time.optional(),
    })
    .optional(),
  /** Of an offboarded tenant: whether its connections to customers' accounts were ended. */
  connectionsEnded: z.boolean().optional(),
});
export type RevocationRecord = z.infer<typeof revocationRecord>;

/** One key of a credential. */
export const versionRecord = z.strictObject({
  versionId: z.string(),
  keyId: z.string().optional(),
  /** When the provider was told to revoke it. Not there for what the customer made: only the customer can. */
  revokedAt: time.optional(),
  confirmedAt: time.optional(),
  /**
   * How it is known that the provider refuses it, as in `ending.ts`. `replaced`: a rotation has put another key in its place, and let go of it only once the provider was
   * shown to refuse it. Without one it is not known, and the list of what is not confirmed says so.
   */
  confirmation: z.enum([...confirmation.options, 'replaced']).optional(),
  attestedBy: z.string().optional(),
  /** Entry of the attribution log that shows it. */
  proofId: z.string().optional(),
});
export type VersionRecord = z.infer<typeof versionRecord>;

/** A credential, and what was done to end it. */
export const credentialRecord = z.strictObject({
  kind: z.literal('credential'),
  credentialId,
  provider: providerName,
  source: storedCredential.shape.source,
  userId: userId.optional(),
  environment: z.string(),
  /** `revoked`, or of one that goes on without the versions that were revoked: its own. */
  status: credentialItem.shape.status,
  /** Not there when the credential itself was not ended. */
  ending: z
    .strictObject({
      revocationId,
      requestedBy: z.string(),
      reason: z.string(),
      incidentId: incidentId.optional(),
      since: time,
      phase: ending.shape.phase,
      /** When the provider's list was looked through for keys that nobody knows of. */
      straysAt: time.optional(),
      /** When the secret was taken out of use, and when it was deleted. */
      stagedOutAt: time.optional(),
      deletedAt: time.optional(),
    })
    .optional(),
  versions: z.array(versionRecord),
});
export type CredentialRecord = z.infer<typeof credentialRecord>;

/** What was asked for and is not shown to be so. */
export const unconfirmedRecord = z.strictObject({
  kind: z.literal('unconfirmed'),
  /** `key`: the provider may accept it still. `credential`: it is not all done. `sessions`: AWS sessions may still be good. `connections`: a customer's account may be connected. */
  what: z.enum(['key', 'credential', 'sessions', 'connections']),
  revocationId: revocationId.optional(),
  credentialId: credentialId.optional(),
  provider: providerName.optional(),
  versionId: z.string().optional(),
  keyId: z.string().optional(),
  since: time,
  /** A code; `words.ts` says it in a sentence. */
  why: z.string(),
});
export type UnconfirmedRecord = z.infer<typeof unconfirmedRecord>;

export const certificateRecord = z.discriminatedUnion('kind', [unconfirmedRecord, revocationRecord, credentialRecord]);
export type CertificateRecord = z.infer<typeof certificateRecord>;

/** `versions`: keys. `confirmed`: those of which it is known that the provider refuses them. `attested`: those among them of which a person says so. */
export const certificateCounts = z.strictObject({
  revocations: count,
  credentials: count,
  versions: count,
  confirmed: count,
  attested: count,
  unconfirmed: count,
});
export type CertificateCounts = z.infer<typeof certificateCounts>;

/** A text of which the header holds the hash. */
export const certificatePart = z.strictObject({
  format: z.literal(partFormat),
  certificateId: z.ulid(),
  /** From 1. */
  number: z.int().min(1),
  records: z.array(certificateRecord),
});

/** What is signed: its canonical JSON, byte for byte. */
export const certificateHeader = z.strictObject({
  format: z.literal(certificateFormat),
  certificateId: z.ulid(),
  tenant: z.strictObject({ tenantId, displayName: z.string(), tier, status: tenantItem.shape.status }),
  subject: certificateSubject,
  requestedBy: z.string(),
  /** The revocation at whose end it was made. */
  revocationId: revocationId.optional(),
  issuedAt: time,
  /** True when nothing is left unconfirmed. */
  complete: z.boolean(),
  counts: certificateCounts,
  /** What Cordon cannot know, however complete the rest is. */
  notKnown: z.array(z.strictObject({ code: z.string(), text: z.string() })),
  parts: z.array(z.strictObject({ sha256, bytes: count, records: count })),
  signing: z.strictObject({ algorithm: z.literal(algorithm), keyArn: z.string(), publicKeySha256: sha256 }),
});
export type CertificateHeader = z.infer<typeof certificateHeader>;

/** The file: texts as they were signed and hashed, so that no program in between can change a byte unnoticed. */
export const certificateFile = z.strictObject({
  format: z.literal(certificateFormat),
  header: z.string(),
  /** DER, base64. */
  signature: z.string(),
  algorithm: z.literal(algorithm),
  keyArn: z.string(),
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: z.string(),
  parts: z.array(z.string()),
});
export type CertificateFile = z.infer<typeof certificateFile>;

/** Counts what a certificate's records say. */
export function countsOf(records: readonly CertificateRecord[]): CertificateCounts {
  const versions = records.flatMap((record) => (record.kind === 'credential' ? record.versions : []));
  const ofKind = (kind: CertificateRecord['kind']): number => records.filter((record) => record.kind === kind).length;
  return {
    revocations: ofKind('revocation'),
    credentials: ofKind('credential'),
    versions: versions.length,
    confirmed: versions.filter((version) => version.confirmation !== undefined).length,
    attested: versions.filter((version) => version.confirmation === 'attested').length,
    unconfirmed: ofKind('unconfirmed'),
  };
}
