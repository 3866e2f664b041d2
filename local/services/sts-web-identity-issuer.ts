/**
 * The issuer behind `GetWebIdentityToken`: one for each account, with its own keys, whose discovery document and key set anybody may read.
 * In AWS its URL is `https://{id}.tokens.sts.global.api.aws`. Sources: IAM User Guide, "Outbound identity federation" (getting started,
 * token claims); OpenID Connect Discovery 1.0; RFC 7517, RFC 7519.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Clock } from '../core/clock.ts';

export const signingAlgorithms = ['RS256', 'ES384'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export interface WebIdentityIssuer {
  /** `{origin}/web-identity/{id}`; the id is opaque and the same for an account at each start. */
  issuerOf(accountId: string): string;
  /** Where the account's keys are: `{issuer}/.well-known/jwks.json`. */
  jwksUriOf(accountId: string): string;
  /** `expiresAt` in seconds since the epoch, which is what the token says too. */
  sign(
    accountId: string,
    algorithm: SigningAlgorithm,
    claims: Readonly<Record<string, unknown>>,
    seconds: number,
  ): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** Paths below this are the issuers'. */
  readonly basePath: string;
  /** The JSON document at a path, or undefined when there is none. */
  documentAt(path: string): Promise<object | undefined>;
}

interface Keys {
  readonly byAlgorithm: Readonly<Record<SigningAlgorithm, { readonly kid: string; readonly key: CryptoKey }>>;
  readonly jwks: { readonly keys: readonly JWK[] };
}

const basePath = '/web-identity';

/** @param origin of the server that answers `documentAt`; asked when it is needed, because that server starts later. */
export function createWebIdentityIssuer({ clock, origin }: { clock: Clock; origin: () => string }): WebIdentityIssuer {
  const accounts = new Map<string, string>();
  const keys = new Map<string, Promise<Keys>>();
  const idOf = (accountId: string): string => {
    const id = createHash('sha256').update(`web identity issuer of ${accountId}`).digest('hex').slice(0, 32);
    accounts.set(id, accountId);
    return id;
  };
  const issuerOf = (accountId: string): string => `${origin()}${basePath}/${idOf(accountId)}`;
  const keysOf = (accountId: string): Promise<Keys> => {
    const known = keys.get(accountId) ?? makeKeys();
    keys.set(accountId, known);
    return known;
  };

  return {
    basePath,
    issuerOf,
    jwksUriOf: (accountId) => `${issuerOf(accountId)}/.well-known/jwks.json`,
    async sign(accountId, algorithm, claims, seconds) {
      const { kid, key } = (await keysOf(accountId)).byAlgorithm[algorithm];
      const now = Math.floor(clock.now() / 1000);
      const expiresAt = now + seconds;
      const jwt = new SignJWT({ ...claims, iss: issuerOf(accountId), iat: now, exp: expiresAt, jti: randomUUID() });
      return { token: await jwt.setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' }).sign(key), expiresAt };
    },
    async documentAt(path) {
      const [, id = '', document] =
        new RegExp(`^${basePath}/([0-9a-f]{32})/\\.well-known/(openid-configuration|jwks\\.json)$`).exec(path) ?? [];
      const accountId = accounts.get(id);
      if (accountId === undefined) return undefined;
      if (document === 'jwks.json') return (await keysOf(accountId)).jwks;
      const issuer = issuerOf(accountId);
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: signingAlgorithms,
      };
    },
  };
}

async function makeKeys(): Promise<Keys> {
  const made = await Promise.all(
    signingAlgorithms.map(async (alg) => {
      const { privateKey, publicKey } = await generateKeyPair(alg);
      const kid = `${alg}-${randomUUID()}`;
      return { kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
    }),
  );
  const [RS256, ES384] = made;
  if (RS256 === undefined || ES384 === undefined) throw new Error('a signing key is missing');
  return { byAlgorithm: { RS256, ES384 }, jwks: { keys: made.map(({ jwk }) => jwk) } };
}
