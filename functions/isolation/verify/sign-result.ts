import { canonicalJson, verifyEvidence } from '../../byoc/probe/sign-evidence.ts';
import type { CertificateSigner } from '../../revocation/certificate/certificate-signer.ts';
import { fingerprintOf } from '../../revocation/certificate/public-key.ts';
import { CordonError } from '../../shared/errors.ts';
import { algorithm, fileFormat, type VerificationFile, type VerificationResult } from './result.ts';

/**
 * Signs a result with the key that Cordon signs evidence with.
 *
 * @throws CordonError as `CertificateSigner`
 */
export async function signResult(signer: CertificateSigner, result: Omit<VerificationResult, 'signing'>): Promise<VerificationFile> {
  const publicKey = await signer.publicKey();
  const signing = { algorithm, keyArn: signer.keyArn, publicKeySha256: fingerprintOf(publicKey) } as const;
  const text = canonicalJson({ ...result, signing });
  const signature = await signer.sign(text);
  // What cannot be verified is no evidence, and had better not look like it.
  if (!verifyEvidence({ document: text, signature }, publicKey))
    throw new CordonError('AWS_UNAVAILABLE', 'the signature does not fit the key that was to make it', { retryable: true });
  return { format: fileFormat, result: text, signature, algorithm, keyArn: signer.keyArn, publicKey };
}
