import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthorizeHandler, createHandler } from '../../../functions/broker/authorize-call.handler.ts';
import { identityHeadersOf, proxyResources } from '../../../functions/broker/identity-sources.ts';
import { trustedIssuer } from '../../../functions/sessions/env.ts';
import { createTokenVerifier } from '../../../functions/sessions/token-verifier.jose.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { Log } from '../../../functions/shared/log.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const seconds = now / 1000;
const issuer = trustedIssuer.parse({ issuer: 'https://idp.example.com', audiences: ['cordon'], jwksUri: 'https://idp.example.com/jwks' });
const second = trustedIssuer.parse({ ...issuer, issuer: 'https://other.example.com', claims: { tenant: ['org', 'id'] } });
const general = '/proxy/{provider}/{path+}';
const claims = { iss: issuer.issuer, aud: 'cordon', sub: 'ann', tenant_id: 'acme', exp: seconds + 300 };

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let jwks: ReturnType<typeof createLocalJWKSet>;
let handler: AuthorizeHandler;
let lines: string[];

beforeAll(async () => {
  keys = await generateKeyPair('RS256', { extractable: true });
  jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'RS256' }] });
});

beforeEach(() => {
  lines = [];
  const keep = (message: string, ...rest: unknown[]): void => void lines.push(JSON.stringify([message, ...rest.map(String), ...rest]));
  const log: Log = { info: keep, warn: keep, error: keep, with: () => log };
  handler = createHandler({ log, verify: createTokenVerifier({ issuers: [issuer, second], clock: () => now, keysOf: () => jwks }) });
});

function sign(over: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
  const payload = Object.fromEntries(Object.entries({ ...claims, ...over }).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k', ...header }).sign(keys.privateKey);
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

function event(resource: string, headers: Headers, pathParameters: Record<string, string> = {}): APIGatewayRequestAuthorizerEvent {
  const values = Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? [value] : [...value]] as const);
  return {
    type: 'REQUEST',
    methodArn: 'arn:aws:execute-api:us-east-1:111122223333:api1/v1/POST/proxy/openai/v1/models',
    resource,
    path: '/proxy/x',
    httpMethod: 'POST',
    headers: Object.fromEntries(values.map(([name, found]) => [name, found.at(-1)])),
    multiValueHeaders: Object.fromEntries(values),
    pathParameters,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    stageVariables: null,
    requestContext: {
      accountId: '111122223333',
      apiId: 'api1',
      authorizer: undefined,
      protocol: 'HTTP/1.1',
      httpMethod: 'POST',
      identity: { ...nobody },
      path: '/v1/proxy/x',
      stage: 'v1',
      requestId: 'r-1',
      requestTimeEpoch: now,
      resourceId: 'res1',
      resourcePath: resource,
    },
  };
}
const nobody = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  sourceIp: '192.0.2.1',
  user: null,
  userAgent: null,
  userArn: null,
};
const bearer = async (over?: Record<string, unknown>, header?: Record<string, unknown>): Promise<Headers> => ({
  Authorization: `Bearer ${await sign(over, header)}`,
});

describe('I11 a call is authorized', () => {
  it('as the tenant and user of its token, for this stage, with what the token says', async () => {
    const answer = await handler(event(general, await bearer({ agent_id: 'support', session_id: 's-1', role: 'admin' })));
    const userId = userIdOf(issuer.issuer, 'ann');
    expect(answer).toEqual({
      principalId: `acme.${userId}`,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:us-east-1:111122223333:api1/v1/*' }],
      },
      context: {
        tenantId: 'acme',
        userId,
        issuer: issuer.issuer,
        subject: 'ann',
        agentId: 'support',
        sessionId: 's-1',
        role: 'admin',
        exp: String(seconds + 300),
      },
    });
  });

  it('with empty texts for what the token does not say', async () => {
    expect((await handler(event(general, await bearer()))).context).toMatchObject({ agentId: '', sessionId: '', role: '' });
  });

  it('by tokens of several issuers, each read in its own way', async () => {
    const headers = await bearer({ iss: second.issuer, tenant_id: 'evil', org: { id: 'acme-2' } });
    expect((await handler(event(general, headers))).context).toMatchObject({ tenantId: 'acme-2', issuer: second.issuer });
  });

  it.each(proxyResources.flatMap(({ path, headers }) => headers.map((header) => [path, header] as const)))(
    'on %s by the header %s',
    async (path, header) => {
      const token = await sign();
      const value = header === 'authorization' ? `bearer ${token}` : token;
      expect((await handler(event(path, { [header.toUpperCase()]: value }))).context).toMatchObject({ tenantId: 'acme' });
    },
  );

  it('whatever a client says of its tenant in headers', async () => {
    const headers = { ...(await bearer()), 'X-Amz-Tenant-Id': 'acme-2', 'x-tenant-id': 'acme-2', tenantId: 'acme-2' };
    expect((await handler(event(general, headers))).context).toMatchObject({ tenantId: 'acme' });
  });
});

describe('I11 a token counts in no other header than the identity source of its resource', () => {
  const sources = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];

  it.each(proxyResources.map(({ path, headers }) => [path, headers] as const))('%s', async (path, headers) => {
    const token = await sign();
    for (const other of [...sources, 'x-authorization', 'cookie'].filter((name) => !headers.some((header) => header === name))) {
      for (const value of [token, `Bearer ${token}`]) {
        await expect(handler(event(path, { [other]: value })), other).rejects.toThrow(/^Unauthorized$/);
        for (const header of headers)
          await expect(handler(event(path, { [other]: value, [header]: 'nonsense' })), other).rejects.toThrow(/^Unauthorized$/);
      }
    }
  });

  it('nor in two that could both count, even the same', async () => {
    const token = await sign();
    const both = { 'x-api-key': token, Authorization: `Bearer ${token}` };
    await expect(handler(event('/proxy/anthropic/{path+}', both))).rejects.toThrow(/^Unauthorized$/);
  });

  it('nor on the general resource for a provider that has one of its own, however it is spelt', async () => {
    const headers = await bearer();
    for (const provider of ['anthropic', 'Anthropic', '%61nthropic', 'azure-openai', 'gemini', '%'])
      await expect(handler(event(general, headers, { provider })), provider).rejects.toThrow(/^Unauthorized$/);
    expect(await handler(event(general, headers, { provider: 'openai' }))).toMatchObject({ context: { tenantId: 'acme' } });
  });

  it('nor when it is there twice, even the same', async () => {
    const { Authorization = '' } = await bearer();
    const twice: Headers[] = [
      { Authorization: [String(Authorization), String(Authorization)] },
      { Authorization, authorization: Authorization },
    ];
    for (const headers of twice) await expect(handler(event(general, headers))).rejects.toThrow(/^Unauthorized$/);
  });

  it('and all resources that are no proxy take Authorization', () => {
    for (const path of ['/attribution', '/credentials/public-key', '/proxy/anthropic', ''])
      expect(identityHeadersOf(path)).toEqual(['authorization']);
  });
});

describe('I11 a call is refused in one word, its token not repeated anywhere', () => {
  it.each<[string, () => Promise<Headers> | Headers]>([
    ['without a token', () => ({})],
    ['with an empty one', () => ({ Authorization: '' })],
    ['with a bare one', async () => ({ Authorization: await sign() })],
    ['by another scheme', async () => ({ Authorization: `Basic ${await sign()}` })],
    ['with two in one header', async () => ({ Authorization: `Bearer ${await sign()}, Bearer ${await sign()}` })],
    ['with alg none', () => ({ Authorization: `Bearer ${new UnsecuredJWT(claims).encode()}` })],
    [
      'signed with the public key as a shared secret',
      async () => {
        const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
        const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k' }).sign(secret);
        return { Authorization: `Bearer ${token}` };
      },
    ],
    ['of an unknown issuer', () => bearer({ iss: 'https://evil.example.com' })],
    ['for another audience', () => bearer({ aud: 'other' })],
    ['that has expired', () => bearer({ exp: seconds })],
    ['that is not valid yet', () => bearer({ nbf: seconds + 60 })],
    ['by an unknown key', () => bearer({}, { kid: 'x' })],
    ['without a tenant', () => bearer({ tenant_id: undefined })],
    ['of a tenant that cannot be', () => bearer({ tenant_id: 'acme/../x' })],
    ['of a reserved tenant', () => bearer({ tenant_id: 'platform' })],
    ['that is oversized', () => bearer({ filler: 'x'.repeat(9000) })],
  ])('%s', async (_what, headers) => {
    const given = await headers();
    const thrown = await handler(event(general, given)).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Error);
    expect(String(thrown)).toBe('Error: Unauthorized');
    expect(lines).toHaveLength(1);
    const token =
      String(given['Authorization'] ?? '')
        .split(' ')
        .at(-1) ?? '';
    if (token.length > 20) expect(lines.join()).not.toContain(token);
  });

  it('unless nobody can tell: then it is no refusal', async () => {
    const log: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => log };
    const keysOf = () => () => Promise.reject(new TypeError('fetch failed'));
    const broken = createHandler({ log, verify: createTokenVerifier({ issuers: [issuer], clock: () => now, keysOf }) });
    await expect(broken(event(general, await bearer()))).rejects.toThrow(/^Unavailable$/);
  });
});
