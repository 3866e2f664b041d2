import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { canonicalJson } from '../../byoc/probe/sign-evidence.ts';
import { fingerprintOf } from '../../revocation/certificate/public-key.ts';
import {
  algorithm,
  countsOf,
  fileFormat,
  type VerificationFile,
  type VerificationResult,
  verificationFile,
  verificationResult,
} from './result.ts';

/** What checking a file came to. */
export interface ResultCheck {
  /** True when there is no problem: the file is as it was signed. What it says of isolation stands in the result. */
  readonly ok: boolean;
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
  /** The key that was used: one that the checker brought, or the one in the file, which proves only that the file is in itself whole. */
  readonly key?: { readonly source: 'pinned' | 'file'; readonly sha256: string; readonly keyArn: string } | undefined;
  /** As far as it can be read; to be believed only when `ok`. */
  readonly result?: VerificationResult | undefined;
}

/**
 * Checks a result with nothing but its file, and the public key when one is given: no AWS, no network, no Cordon.
 *
 * @param text the file
 * @param options.publicKey PEM, SubjectPublicKeyInfo: got from somewhere else than the file, e.g. `aws kms get-public-key`
 *
 * Source: KMS Developer Guide, "Offline verification" (signatures are DER, as in RFC 3279 section 2.2.3).
 */
export function verifyResult(text: string, { publicKey }: { readonly publicKey?: string | undefined } = {}): ResultCheck {
  const parsed = verificationFile.safeParse(jsonIn(text));
  if (!parsed.success) return { ok: false, problems: [`the file is not of the form of ${fileFormat}`] };
  const file = parsed.data;
  const problems: string[] = [];
  const result = resultIn(file, problems);
  const own = keyIn(file.publicKey);
  const pinned = publicKey === undefined ? undefined : keyIn(publicKey);
  if (own === undefined) problems.push('the public key in the file is none for ECDSA on P-256');
  if (publicKey !== undefined && pinned === undefined) problems.push('the public key that was named is none for ECDSA on P-256');
  if (own !== undefined && pinned !== undefined && !pinned.equals(own))
    problems.push('the public key in the file is not the one that was named');
  const key = publicKey === undefined ? own : pinned;
  if (key !== undefined && !isSignedBy(file, key))
    problems.push('the signature is not that of the result by this key: the result was changed, or another key has signed it');
  if (result !== undefined) checkContent(file, result, own, problems);
  const used = key && ({ source: pinned === undefined ? 'file' : 'pinned', sha256: fingerprintOf(key), keyArn: file.keyArn } as const);
  return { ok: problems.length === 0, problems, key: used, result };
}

/** Written in another way than canonically it could be read in another way. */
function resultIn(file: VerificationFile, problems: string[]): VerificationResult | undefined {
  const json = jsonIn(file.result);
  if (canonicalJson(json) !== file.result) problems.push('the result is not written canonically');
  const parsed = verificationResult.safeParse(json);
  if (!parsed.success) problems.push('the result says what this check does not understand');
  return parsed.data;
}

function isSignedBy({ result, signature }: VerificationFile, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return bytes.toString('base64') === signature && verify('sha256', Buffer.from(result), { key, dsaEncoding: 'der' }, bytes);
}

/** A result that contradicts itself is wrong, whoever has signed it. */
function checkContent(file: VerificationFile, result: VerificationResult, own: KeyObject | undefined, problems: string[]): void {
  const { signing, checks, counts } = result;
  if (file.keyArn !== signing.keyArn || file.algorithm !== signing.algorithm || signing.algorithm !== algorithm)
    problems.push('the file names another key than the signed result');
  if (own !== undefined && fingerprintOf(own) !== signing.publicKeySha256)
    problems.push('the public key in the file is not the one that the signed result names');
  if (canonicalJson(countsOf(checks)) !== canonicalJson(counts)) problems.push('the counts are not those of the checks');
  if (new Set(checks.map(({ id }) => id)).size !== checks.length) problems.push('a check is there more than once');
}

function keyIn(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    // Whatever it is: it is no key.
    return undefined;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: no file of ours.
    return undefined;
  }
}
