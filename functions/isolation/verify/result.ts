import { z } from 'zod';
import { credentialId, tenantId } from '../../shared/identifier-fields.ts';
import { displayText } from '../../tenants/credential-spec.ts';
import { type Check, isolationTests, outcomes, services } from '../check.ts';

/**
 * What a run of the isolation tests has found, for whoever checks it later without Cordon: strict, versioned by `format`, all times in UTC. No secret is in it, and of no
 * tenant anything but its name.
 */
const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

export const resultFormat = 'cordon-isolation-result/1';
export const fileFormat = 'cordon-isolation-file/1';
export const algorithm = 'ECDSA_SHA_256';

/** The event that asked for the run. */
export const verificationId = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/);

export const checkRecord = z.strictObject({
  id: z.string().regex(/^[a-z-]+\/[a-z0-9-]+$/),
  test: z.enum(isolationTests),
  service: z.enum(services),
  outcome: z.enum(outcomes),
  detail: z.string().max(1000),
}) satisfies z.ZodType<Check>;

/** Something that was done in a canary's name and stands in its attribution log. */
export const attributedUse = z.strictObject({ tenantId, credentialId: credentialId.optional(), id: z.ulid() });
export type AttributedUse = z.infer<typeof attributedUse>;

export const resultCounts = z.strictObject({ passed: count, failed: count, notVerified: count });
export type ResultCounts = z.infer<typeof resultCounts>;

/** What is signed: its canonical JSON, byte for byte. */
export const verificationResult = z.strictObject({
  format: z.literal(resultFormat),
  verificationId,
  /** Who asked. Of a daily run it is the first canary. */
  tenantId,
  requestedBy: displayText,
  startedAt: time,
  finishedAt: time,
  canaries: z.strictObject({ a: tenantId, b: tenantId }),
  /** What was tested: the stack, and the version of Cordon that it was made by. */
  deployment: z.strictObject({ stack: z.string(), region: z.string(), version: z.string() }),
  /** Each ID once. */
  checks: z.array(checkRecord),
  counts: resultCounts,
  uses: z.array(attributedUse),
  signing: z.strictObject({ algorithm: z.literal(algorithm), keyArn: z.string(), publicKeySha256: sha256 }),
});
export type VerificationResult = z.infer<typeof verificationResult>;

/** The file to hand out: the text as it was signed, so that no program in between can change a byte unnoticed. */
export const verificationFile = z.strictObject({
  format: z.literal(fileFormat),
  /** `VerificationResult` as canonical JSON. */
  result: z.string(),
  /** DER, base64. */
  signature: z.string(),
  algorithm: z.literal(algorithm),
  keyArn: z.string(),
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: z.string(),
});
export type VerificationFile = z.infer<typeof verificationFile>;

export function countsOf(checks: readonly Pick<Check, 'outcome'>[]): ResultCounts {
  const of = (outcome: Check['outcome']): number => checks.filter((check) => check.outcome === outcome).length;
  return { passed: of('passed'), failed: of('failed'), notVerified: of('not-verified') };
}
