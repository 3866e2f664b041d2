import { createPrivateKey } from 'node:crypto';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import { sealAlgorithm, sealEncryption } from './seal-secret.ts';

/** What a ciphertext was sealed for. */
export interface SealedFor {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly nonce: string;
}

const boundFields = { tenantId: z.string(), credentialId: z.string(), nonce: z.string() };
const kid = z.string().regex(/^\d{4}-\d{2}\.[A-Za-z0-9_-]{43}$/);

/** Every member that may be there; with any other (`zip`, `crit`, `jku`, `apu` …) nothing is opened. Source: RFC 8725, section 3.6, on `zip`. */
const sealedHeader = z.strictObject({
  alg: z.literal(sealAlgorithm),
  enc: z.literal(sealEncryption),
  kid,
  cty: z.literal('json'),
  ...boundFields,
  epk: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
});
export type SealedHeader = z.infer<typeof sealedHeader>;

/** Printable ASCII without spaces: it becomes the value of a header. */
const apiKey = z.string().regex(/^[\x21-\x7e]{8,4096}$/);
/** What is outside of this has to be percent-encoded in a URI (RFC 3986, section 2). What it says is read later (`connection-string.ts`). */
const connectionString = z.string().regex(/^[\x21-\x7e]{8,4096}$/);
const sealedContent = z.strictObject({
  ...boundFields,
  secret: z.union([z.strictObject({ apiKey }), z.strictObject({ connectionString })]),
});

/** A customer's secret, as it was sealed. */
export interface SuppliedText {
  readonly member: 'apiKey' | 'connectionString';
  readonly text: SecretText;
}

const sealAnew = 'get the public key and a nonce, seal the secret again, and send the ciphertext as {"jwe": "…"}';

/** Reads the header of a compact JWE before anything is opened. Throws CordonError SUPPLY_REFUSED, which quotes nothing. */
export function sealedHeaderOf(jwe: string): SealedHeader {
  let header: unknown;
  try {
    header = decodeProtectedHeader(jwe);
  } catch {
    throw notAccepted('it is no compact JWE');
  }
  const parsed = sealedHeader.safeParse(header);
  if (!parsed.success) throw notAccepted('its header is not the one this door takes');
  return parsed.data;
}

/**
 * Opens a ciphertext and returns the secret, if what is inside was sealed for exactly this tenant, credential and nonce.
 *
 * @param privateKey PKCS #8, DER; it is wiped when the key object is made of it
 * @throws CordonError SUPPLY_REFUSED, without a cause: a parser's error would quote the plaintext
 */
export async function openSecret(jwe: string, privateKey: Buffer, expected: SealedFor): Promise<SuppliedText> {
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
  privateKey.fill(0);
  let plaintext: Uint8Array;
  try {
    const opened = await compactDecrypt(jwe, key, {
      keyManagementAlgorithms: [sealAlgorithm],
      contentEncryptionAlgorithms: [sealEncryption],
    });
    plaintext = opened.plaintext;
  } catch {
    throw notAccepted('it could not be opened');
  }
  const content = contentOf(plaintext);
  plaintext.fill(0);
  if (!isSealedFor(content, expected)) throw notAccepted('it was sealed for something else');
  const { secret } = content;
  return 'apiKey' in secret
    ? { member: 'apiKey', text: new SecretText(secret.apiKey) }
    : { member: 'connectionString', text: new SecretText(secret.connectionString) };
}

export function isSealedFor(one: SealedFor, other: SealedFor): boolean {
  return one.tenantId === other.tenantId && one.credentialId === other.credentialId && one.nonce === other.nonce;
}

function contentOf(plaintext: Uint8Array): z.infer<typeof sealedContent> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
  } catch {
    throw notAccepted('what is inside is not JSON');
  }
  const parsed = sealedContent.safeParse(json);
  if (!parsed.success)
    throw notAccepted(
      'what is inside is not {tenantId, credentialId, nonce, secret: {apiKey}} or, for a database, {…, secret: {connectionString}}',
    );
  return parsed.data;
}

export function notAccepted(why: string): CordonError {
  return new CordonError('SUPPLY_REFUSED', `the ciphertext was not accepted, ${why}: ${sealAnew}`);
}
