import { z } from 'zod';
import { tenantId } from '../../shared/identifier-fields.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import { displayText } from '../../tenants/credential-spec.ts';
import { algorithm, checkRecord, fileFormat, resultCounts, type VerificationFile, verificationId } from './result.ts';

/** A tenant sees the tests run at most so often: each run costs calls at the provider, and all wait for the one place there is. */
export const restMs = 10 * 60_000;

/** One run of the isolation tests, as it is kept in the partition of the tenant that asked: item `RUN#{verificationId}`. */
export const verification = z.object({
  tenantId,
  verificationId,
  requestedBy: displayText,
  /** ISO 8601; what runs are listed by. */
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  /** `given-up`: it could not be run to its end. */
  status: z.enum(['running', 'finished', 'given-up']),
  /** How often it was begun. */
  attempt: z.int().min(1),
  /** The rotation that it has asked for. */
  rotation: z.object({ versionBefore: z.string(), at: z.int().min(0) }).optional(),
  counts: resultCounts.optional(),
  /** Of the file, once it is finished. */
  result: z.string().optional(),
  signature: z.string().optional(),
  algorithm: z.literal(algorithm).optional(),
  keyArn: z.string().optional(),
  publicKey: z.string().optional(),
  /** True once the event that tells of its end has been published. */
  announced: z.boolean(),
});
export type Verification = z.infer<typeof verification>;

/** What to hand out of a run; undefined as long as it has found nothing. */
export function fileIn({ result, signature, algorithm, keyArn, publicKey }: Verification): VerificationFile | undefined {
  if (result === undefined || signature === undefined || algorithm === undefined || keyArn === undefined || publicKey === undefined)
    return undefined;
  return { format: fileFormat, result, signature, algorithm, keyArn, publicKey };
}

/** What the rotation of canary A has shown, for runs that come soon after. */
export const rotationShown = z.object({
  /** Milliseconds since the epoch. */
  at: z.int().min(0),
  verificationId,
  checks: z.array(checkRecord),
});
export type RotationShown = z.infer<typeof rotationShown>;

/** Runs as they are kept. Reads are strongly consistent; all throw CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED, and reads ITEM_NOT_UNDERSTOOD. */
export interface VerificationReader {
  run(tenantId: TenantId, id: string): Promise<Verification | undefined>;
  /** The newest first, without what they have found: `limit` of them. */
  latest(tenantId: TenantId, limit: number): Promise<readonly ListedVerification[]>;
}
export type ListedVerification = Pick<Verification, 'verificationId' | 'requestedBy' | 'startedAt' | 'finishedAt' | 'status' | 'counts'>;

export interface VerificationStore extends VerificationReader {
  /**
   * Takes the one place that there is for a run: two at a time would count each other's calls. False while another holds it.
   *
   * @param holder milliseconds since the epoch: from when, and until when at the latest, it is held
   */
  take(holder: string, at: { readonly now: number; readonly until: number }): Promise<boolean>;
  release(holder: string): Promise<void>;
  /** Writes a run as it is now. */
  save(run: Verification): Promise<void>;
  rotationShown(): Promise<RotationShown | undefined>;
  saveRotation(shown: RotationShown): Promise<void>;
}
