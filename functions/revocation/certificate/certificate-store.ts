import { z } from 'zod';
import type { TenantId } from '../../shared/identifiers.ts';
import { itemFields } from '../../tenants/registry.ts';
import { revocationId } from '../events.ts';
import { algorithm, certificateCounts, certificateSubject } from './certificate.ts';

/**
 * A signed header as it is kept: registry item `CERTIFICATE#{certificateId}`. It is written after all its parts, so that a header means that the certificate is whole.
 */
export const storedCertificate = z.object({
  ...itemFields,
  kind: z.literal('CERTIFICATE'),
  certificateId: z.ulid(),
  issuedAt: z.iso.datetime(),
  subject: certificateSubject,
  revocationId: revocationId.optional(),
  counts: certificateCounts,
  /** How many parts belong to it. */
  parts: z.int().min(1),
  /** Canonical JSON: the signature is over these very bytes. */
  header: z.string(),
  /** DER, base64. */
  signature: z.string(),
  algorithm: z.literal(algorithm),
  keyArn: z.string(),
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: z.string(),
});
export type StoredCertificate = z.infer<typeof storedCertificate>;

/** Registry item `CERTIFICATE-PART#{certificateId}#{0001}`: apart from the headers, so that listing those does not read all that they are about. */
export const storedPart = z.object({
  ...itemFields,
  kind: z.literal('CERTIFICATE-PART'),
  certificateId: z.ulid(),
  /** From 1. */
  number: z.int().min(1),
  text: z.string(),
});
export type StoredPart = z.infer<typeof storedPart>;

type Written = 'version' | 'writeId' | 'createdAt' | 'updatedAt';
export type NewCertificate = Omit<StoredCertificate, Written>;
export type NewPart = Omit<StoredPart, Written>;

/**
 * A tenant's certificates. Nothing in here is ever changed. Reads are strongly consistent; all throw CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED, and
 * reads ITEM_NOT_UNDERSTOOD.
 */
export interface CertificateStore {
  /** Once more with the same text is no mistake. Throws CordonError CONFLICT when another text is there. */
  addPart(part: NewPart): Promise<void>;
  /** Returns what is kept: another's header when somebody issued the same certificate first. */
  addCertificate(certificate: NewCertificate): Promise<StoredCertificate>;
  certificate(tenantId: TenantId, certificateId: string): Promise<StoredCertificate | undefined>;
  /** All of the tenant, in the order of their IDs. */
  certificates(tenantId: TenantId): Promise<readonly StoredCertificate[]>;
  /** The texts of its parts, in their order. */
  parts(tenantId: TenantId, certificateId: string): Promise<readonly string[]>;
}
