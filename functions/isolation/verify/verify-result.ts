import { canonicalJson } from '../../byoc/probe/sign-evidence.ts';
import { fingerprintOf, isSignedBy, keyToCheckWith, publicKeyIn } from '../../revocation/certificate/public-key.ts';
import { jsonIn } from '../../shared/json-in.ts';
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
 */
export function verifyResult(text: string, { publicKey }: { readonly publicKey?: string | undefined } = {}): ResultCheck {
  const parsed = verificationFile.safeParse(jsonIn(text));
  if (!parsed.success) return { ok: false, problems: [`the file is not of the form of ${fileFormat}`] };
  const file = parsed.data;
  const problems: string[] = [];
  const result = resultIn(file, problems);
  const key = keyToCheckWith(file.publicKey, publicKey, problems);
  if (key !== undefined && !isSignedBy(key.object, file.result, file.signature))
    problems.push('the signature is not that of the result by this key: the result was changed, or another key has signed it');
  if (result !== undefined) checkContent(file, result, problems);
  const used = key && ({ source: key.source, sha256: fingerprintOf(key.object), keyArn: file.keyArn } as const);
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

/** A result that contradicts itself is wrong, whoever has signed it. */
function checkContent(file: VerificationFile, result: VerificationResult, problems: string[]): void {
  const { signing, checks, counts } = result;
  const own = publicKeyIn(file.publicKey);
  if (file.keyArn !== signing.keyArn || file.algorithm !== signing.algorithm || signing.algorithm !== algorithm)
    problems.push('the file names another key than the signed result');
  if (own !== undefined && fingerprintOf(own) !== signing.publicKeySha256)
    problems.push('the public key in the file is not the one that the signed result names');
  if (canonicalJson(countsOf(checks)) !== canonicalJson(counts)) problems.push('the counts are not those of the checks');
  if (new Set(checks.map(({ id }) => id)).size !== checks.length) problems.push('a check is there more than once');
}
