/**
 * The platform's identity provider, for the local cloud: an OIDC issuer that signs whatever claims it is asked for.
 * Sources: OpenID Connect Discovery 1.0, RFC 7517 (JWK), RFC 7519 (JWT).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { Clock } from '../core/clock.ts';
import { createTokenEndpoint } from './client-credentials.ts';
import { sendJson } from './http.ts';

/** A token to mint. Claims named here win over the ones derived from the other fields, so that a test can spoil any of them. */
export interface TokenRequest {
  readonly tenantId: string;
  /** The subject, `sub`. A tenant's own workload when left out: `workload@{tenantId}`. */
  readonly userId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly role?: string | undefined;
  /** Merged over the derived claims; `null` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Merged over the protected header. `alg: none` gives an unsigned token, `HS256` one signed with the public key as the shared secret. */
  readonly header?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds, 300 when left out; negative gives an expired token. */
  readonly expiresIn?: number | undefined;
}

export interface OidcIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  /** Paths below this belong to the issuer. */
  readonly basePath: string;
  /** Where clients get tokens in their own name. */
  readonly tokenUrl: string;
  handle(request: IncomingMessage, response: ServerResponse): void;
  mint(request: TokenRequest): Promise<string>;
  /** A client whose tokens name this tenant; always the same one for a tenant. */
  clientOf(tenantId: string): { readonly clientId: string; readonly clientSecret: string };
  /** Secrets of clients, and the tokens they got. */
  plantedSecrets(): readonly string[];
}

export const oidcBasePath = '/oidc';
const audience = 'cordon';
const defaultLifetimeSeconds = 300;

/** `origin` is the server's, e.g. `http://127.0.0.1:41234`. The RSA key pair is made here and lives as long as the process. */
export async function createOidcIssuer({ clock, origin }: { clock: Clock; origin: string }): Promise<OidcIssuer> {
  const issuer = `${origin}${oidcBasePath}`;
  const jwksUri = `${issuer}/jwks.json`;
  const tokenUrl = `${issuer}/token`;
  const kid = randomBytes(8).toString('hex');
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const publicPem = await exportSPKI(publicKey);
  const documents: Readonly<Record<string, object>> = {
    [`${oidcBasePath}/jwks.json`]: { keys: [jwk] },
    [`${oidcBasePath}/.well-known/openid-configuration`]: {
      issuer,
      jwks_uri: jwksUri,
      token_endpoint: tokenUrl,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_post'],
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
  };

  const mint = async (request: TokenRequest): Promise<string> => {
    const now = Math.floor(clock.now() / 1000);
    const claims = withoutNulls({
      iss: issuer,
      aud: audience,
      sub: request.userId ?? `workload@${request.tenantId}`,
      iat: now,
      exp: now + (request.expiresIn ?? defaultLifetimeSeconds),
      jti: randomUUID(),
      tenant_id: request.tenantId,
      agent_id: request.agentId,
      session_id: request.sessionId,
      role: request.role,
      ...request.claims,
    });
    const header = withoutNulls({ alg: 'RS256', kid, typ: 'JWT', ...request.header });
    const alg = typeof header.alg === 'string' ? header.alg : 'RS256';
    if (alg === 'none') return `${encode(header)}.${encode(claims)}.`;
    const jwt = new SignJWT(claims).setProtectedHeader({ ...header, alg });
    // Algorithm confusion: a verifier that lets the token choose HS256 would take the public key for the shared secret.
    if (alg.startsWith('HS')) return jwt.sign(new TextEncoder().encode(publicPem));
    return jwt.sign(privateKey);
  };

  const tokens = createTokenEndpoint({
    lifetimeSeconds: defaultLifetimeSeconds,
    mint: ({ tenantId, clientId }) => mint({ tenantId, userId: clientId }),
  });
  return {
    issuer,
    audience,
    jwksUri,
    tokenUrl,
    basePath: oidcBasePath,
    mint,
    clientOf: tokens.clientOf,
    plantedSecrets: tokens.plantedSecrets,
    handle(request, response) {
      if (request.method === 'POST' && new URL(request.url ?? '/', origin).pathname === `${oidcBasePath}/token`) {
        tokens.handle(request, response).catch((error: unknown) => {
          if (!response.headersSent) sendJson(response, 500, { error: 'server_error', error_description: String(error) });
        });
        return;
      }
      const document = documents[new URL(request.url ?? '/', origin).pathname];
      if (document === undefined || request.method !== 'GET') sendJson(response, 404, { error: 'not_found' });
      else sendJson(response, 200, document, { 'cache-control': 'public, max-age=60' });
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function withoutNulls(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}
