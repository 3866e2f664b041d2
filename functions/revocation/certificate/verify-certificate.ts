import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import { canonicalJson } from '../../byoc/probe/sign-evidence.ts';
import {
  algorithm,
  type CertificateFile,
  type CertificateHeader,
  type CertificateRecord,
  certificateFile,
  certificateFormat,
  certificateHeader,
  certificatePart,
  countsOf,
} from './certificate.ts';
import { fingerprintOf, isSignedBy, keyToCheckWith, publicKeyIn } from './public-key.ts';
import { sha256Of } from './split-parts.ts';

/** What a check came to. */
export interface CertificateCheck {
  /** True when there is no problem. What the certificate says is complete only when `header.complete` is true as well. */
  readonly ok: boolean;
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
  /** What to know about the check itself. */
  readonly notes: readonly string[];
  /** The key that was used: one that the checker brought, or the one in the file, which proves only that the file is in itself whole. */
  readonly key?: { readonly source: 'pinned' | 'file'; readonly sha256: string; readonly keyArn: string } | undefined;
  /** What it says, as far as it can be read; to be believed only when `ok`. */
  readonly header?: CertificateHeader | undefined;
  readonly records: readonly CertificateRecord[];
}

/**
 * Checks a certificate with nothing but itself, and the public key when one is given: no AWS, no network, no Cordon.
 *
 * @param text the file
 * @param options.publicKey PEM, SubjectPublicKeyInfo: got from somewhere else than the file, e.g. `aws kms get-public-key`
 */
export function verifyCertificate(text: string, { publicKey }: { readonly publicKey?: string | undefined } = {}): CertificateCheck {
  const problems: string[] = [];
  const file = fileIn(text, problems);
  if (file === undefined) return { ok: false, problems, notes: [], records: [] };
  const header = textAs(certificateHeader, file.header, 'the header', problems);
  const records = header === undefined ? [] : recordsOf(file, header, problems);
  const key = keyToCheckWith(file.publicKey, publicKey, problems);
  if (key !== undefined) checkSignature(file, key.object, problems);
  if (header !== undefined) {
    checkSigning(file, header, problems);
    checkContent(header, records, problems);
  }
  const used = key && ({ source: key.source, sha256: fingerprintOf(key.object), keyArn: file.keyArn } as const);
  return { ok: problems.length === 0, problems, notes: used?.source === 'file' ? [noteOf(used)] : [], key: used, header, records };
}

function noteOf({ sha256, keyArn }: { sha256: string; keyArn: string }): string {
  return `It was checked with the public key in the file itself: anybody could have put theirs there. Compare its SHA-256 fingerprint ${sha256} with that of the key ${keyArn}, or name the key.`;
}

function fileIn(text: string, problems: string[]): CertificateFile | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    problems.push('the file is not JSON');
    return undefined;
  }
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  if (format !== certificateFormat) {
    problems.push(`the format is not ${certificateFormat}, the only one known here`);
    return undefined;
  }
  const file = certificateFile.safeParse(json);
  if (!file.success) problems.push(`the file is not of the form of ${certificateFormat}: ${membersOf(file.error)}`);
  return file.data;
}

/**
 * A text that was signed or hashed, as what it has to be. Written in another way than canonically it could be read in another way; and half a surrogate pair, which has
 * no UTF-8 of its own and so shares a hash with other texts, is written canonically as an escape.
 */
function textAs<Schema extends z.ZodType>(schema: Schema, text: string, what: string, problems: string[]): z.infer<Schema> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    problems.push(`${what} is not JSON`);
    return undefined;
  }
  if (canonicalJson(json) !== text) problems.push(`${what} is not written canonically`);
  const parsed = schema.safeParse(json);
  if (!parsed.success) problems.push(`${what} says what this check does not understand: ${membersOf(parsed.error)}`);
  return parsed.data;
}

function membersOf({ issues }: z.ZodError): string {
  return [...new Set(issues.map(({ path }) => path.map(String).join('.') || 'the whole'))].slice(0, 5).join(', ');
}

function checkSignature({ header, signature }: CertificateFile, key: KeyObject, problems: string[]): void {
  if (!isSignedBy(key, header, signature))
    problems.push('the signature is not that of the header by this key: the header was changed, or another key has signed it');
}

/** The header names its key, so that neither can be put beside another. */
function checkSigning(file: CertificateFile, { signing }: CertificateHeader, problems: string[]): void {
  if (signing.keyArn !== file.keyArn || signing.algorithm !== algorithm) problems.push('the file names another key than the signed header');
  const own = publicKeyIn(file.publicKey);
  if (own !== undefined && fingerprintOf(own) !== signing.publicKeySha256)
    problems.push('the public key in the file is not the one that the signed header names');
}

function recordsOf(file: CertificateFile, header: CertificateHeader, problems: string[]): readonly CertificateRecord[] {
  if (file.parts.length !== header.parts.length)
    problems.push(`the file has ${file.parts.length} parts, the signed header names ${header.parts.length}`);
  return file.parts.flatMap((text, index) => {
    const what = `part ${index + 1}`;
    const named = header.parts[index];
    if (named === undefined || named.sha256 !== sha256Of(text) || named.bytes !== Buffer.byteLength(text))
      problems.push(`${what} is not the one that the signed header names: it was changed`);
    const part = textAs(certificatePart, text, what, problems);
    if (part === undefined) return [];
    if (part.certificateId !== header.certificateId || part.number !== index + 1) problems.push(`${what} belongs elsewhere`);
    if (part.records.length !== named?.records)
      problems.push(`${what} has ${part.records.length} entries, the signed header says ${named?.records ?? 0}`);
    return part.records;
  });
}

/** A certificate that contradicts itself is wrong, whoever has signed it. */
function checkContent(header: CertificateHeader, records: readonly CertificateRecord[], problems: string[]): void {
  const counted = countsOf(records);
  if (canonicalJson(counted) !== canonicalJson(header.counts)) problems.push('the counts are not those of the lists');
  if (header.complete !== (counted.unconfirmed === 0))
    problems.push('it says of itself to be complete, or not, against its own list of what is not confirmed');
  const listed = new Set(
    records.flatMap((record) =>
      record.kind === 'unconfirmed' && record.what === 'key' ? [`${record.credentialId} ${record.versionId}`] : [],
    ),
  );
  const open = new Set(
    records.flatMap((record) =>
      record.kind === 'credential'
        ? record.versions
            .filter((version) => version.confirmation === undefined)
            .map(({ versionId }) => `${record.credentialId} ${versionId}`)
        : [],
    ),
  );
  if (listed.symmetricDifference(open).size > 0)
    problems.push('the list of what is not confirmed is not that of the keys without a confirmation');
}
