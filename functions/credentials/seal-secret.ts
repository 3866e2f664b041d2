/**
 * Seals a provider key or a connection string for Cordon's door: whoever carries it on the way, and Cordon's own logs, see a ciphertext.
 *
 * This is the client's half, for browsers as much as for Node: it imports `jose` and nothing else, and `jose` uses the Web Cryptography API. Nothing of Node's own may be
 * imported here.
 */
import { CompactEncrypt, importJWK, type JWK } from 'jose';

/** A key agreement with a fresh key on the sender's side, and an authenticated cipher. Sources: RFC 7518, sections 4.6 and 5.3. */
export const sealAlgorithm = 'ECDH-ES+A256KW';
export const sealEncryption = 'A256GCM';

export interface SecretToSeal {
  /** One of `keys` as `GET /v1/credentials/public-key` gives them. */
  readonly publicKey: JWK;
  readonly tenantId: string;
  readonly credentialId: string;
  /** `nonce.value` of the same answer: for one use, within its time. */
  readonly nonce: string;
  /** `connectionString` for a credential of provider `postgres`, `apiKey` for every other. */
  readonly secret: { readonly apiKey: string } | { readonly connectionString: string };
}

/**
 * Tenant, credential and nonce stand inside the ciphertext and in its protected header: neither can be exchanged without the other.
 *
 * @returns a compact JWE (RFC 7516, section 7.1): the value of `jwe` in `POST /v1/credentials/{credentialId}/secret`
 * @throws TypeError when the public key names no `kid`; JOSEError when it is no such key
 */
export async function sealSecret({ publicKey, tenantId, credentialId, nonce, secret }: SecretToSeal): Promise<string> {
  if (publicKey.kid === undefined) throw new TypeError('the public key names no kid');
  const bound = { tenantId, credentialId, nonce };
  const plaintext = new TextEncoder().encode(JSON.stringify({ ...bound, secret }));
  return new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: sealAlgorithm, enc: sealEncryption, kid: publicKey.kid, cty: 'json', ...bound })
    .encrypt(await importJWK(publicKey, sealAlgorithm));
}
