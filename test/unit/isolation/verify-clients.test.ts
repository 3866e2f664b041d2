import { describe, expect, it } from 'vitest';
import { createBrokerClient } from '../../../functions/isolation/verify/broker-client.fetch.ts';
import { createIdentities } from '../../../functions/isolation/verify/identity.fetch.ts';
import { createTryCall } from '../../../functions/isolation/verify/tenant-calls.signed.ts';
import type { SendSigned } from '../../../functions/shared/aws-signed.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const client = { clientId: 'id-a', clientSecret: 'a-secret-of-the-canary' };
const identity = { tokenUrl: 'https://idp.example/token', clients: { a: client, b: { ...client, clientId: 'id-b' } } };
const token = new SecretText('header.claims.signature');

/** A `fetch` that answers as told and keeps what was sent. */
function line(answer: () => Response | Error) {
  const sent: { url: string; init: RequestInit }[] = [];
  const fetchUrl: typeof fetch = async (url, init = {}) => {
    sent.push({ url: String(url), init });
    const given = answer();
    if (given instanceof Error) throw given;
    return given;
  };
  return { sent, fetchUrl };
}
const json = (body: unknown, init: ResponseInit = {}): Response => new Response(JSON.stringify(body), init);

describe('T1 the canaries’ tokens', () => {
  const identitiesOf = (secret: unknown, answer: () => Response | Error = () => json({ access_token: 'jwt', token_type: 'Bearer' })) => {
    const { sent, fetchUrl } = line(answer);
    const read = async () =>
      secret === undefined ? undefined : new SecretText(typeof secret === 'string' ? secret : JSON.stringify(secret));
    return { sent, ...createIdentities({ read, brokerUrl: 'https://api.example/v1/', fetchUrl }) };
  };

  it('are got by client credentials, each with its own client, and with audience and scope when there are', async () => {
    const { token: tokenFor, sent } = identitiesOf({ ...identity, audience: 'cordon', scope: 'agents' });
    expect((await tokenFor('b')).reveal()).toBe('jwt');
    const [{ url, init } = { url: '', init: {} }] = sent;
    expect([url, init.method, init.redirect]).toEqual([identity.tokenUrl, 'POST', 'error']);
    expect(Object.fromEntries(new URLSearchParams(String(init.body)))).toEqual({
      ...{ grant_type: 'client_credentials', client_id: 'id-b', client_secret: client.clientSecret, audience: 'cordon', scope: 'agents' },
    });
  });

  it.each([
    ['there is no value', undefined, undefined],
    ['it is no JSON', 'secret!', undefined],
    ['it names no client for one of them', { ...identity, clients: { a: client } }, undefined],
    ['its address is not safe to send a secret to', { ...identity, tokenUrl: 'http://idp.example/token' }, undefined],
    ['the provider refuses', identity, () => json({ error: 'invalid_client', hint: client.clientSecret }, { status: 401 })],
    ['the provider is gone', identity, () => new Error(`no route, ${client.clientSecret}`)],
  ])('are unavailable, and no secret is told, when %s', async (_, secret, answer) => {
    const failed = identitiesOf(secret, answer).token('a');
    await expect(failed).rejects.toMatchObject({ code: 'CANARY_UNAVAILABLE' });
    await expect(failed).rejects.toSatisfy((error: Error) => !/secret-of|secret!/.test(error.message));
  });

  it('go to the stack’s own API unless the secret names another', async () => {
    expect(await identitiesOf(identity).brokerUrl()).toBe('https://api.example/v1');
    expect(await identitiesOf({ ...identity, brokerUrl: 'https://broker.example/v1' }).brokerUrl()).toBe('https://broker.example/v1');
  });
});

describe('T1 the broker as its clients know it', () => {
  it('reads the limit out of an answer, and the code out of a refusal', async () => {
    const headers = { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '59' };
    const good = createBrokerClient('https://b/v1', line(() => json({}, { headers })).fetchUrl);
    expect(await good.use(token, { environment: 'e', marker: 'm' })).toEqual({
      status: 200,
      code: undefined,
      limit: { limit: 60, remaining: 59 },
    });
    const refused = createBrokerClient('https://b/v1', line(() => json({ error: { code: 'NO_CREDENTIAL' } }, { status: 400 })).fetchUrl);
    expect(await refused.use(token, { environment: 'e', marker: 'm' })).toMatchObject({ status: 400, code: 'NO_CREDENTIAL' });
  });

  it.each([
    ['gone', () => new Error('gone')],
    ['a page of something else', () => new Response('<html>', { status: 502 })],
  ])('does not reject when it is %s', async (_, answer) => {
    const { use, log } = createBrokerClient('https://b/v1', line(answer).fetchUrl);
    expect((await use(undefined, { environment: 'e', marker: 'm' })).limit).toBeUndefined();
    expect(await log(token)).toBeUndefined();
  });
});

describe('T1 attempts in a canary’s session', () => {
  const tried = (status: number, body: string) => {
    const calls: { service: string; body: string; target: string | undefined }[] = [];
    const send: SendSigned = async (_, call) => {
      calls.push({ service: call.service, body: call.body, target: call.headers['x-amz-target'] });
      return { status, headers: {}, body };
    };
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' };
    return { calls, tryCall: createTryCall(send, credentials) };
  };

  it('are sent as they are written, in each service’s protocol', async () => {
    const { calls, tryCall } = tried(200, '{}');
    await tryCall({ service: 'kms', operation: 'Encrypt', input: { KeyId: 'k' } });
    await tryCall({ service: 'tagging', operation: 'GetResources', input: {} });
    await tryCall({
      service: 'sts',
      operation: 'AssumeRole',
      input: { RoleArn: 'r', Tags: [{ Key: 'TenantId', Value: 'b' }], Audience: ['x'] },
    });
    expect(calls.map(({ target }) => target)).toEqual([
      'TrentService.Encrypt',
      'ResourceGroupsTaggingAPI_20170126.GetResources',
      undefined,
    ]);
    expect(Object.fromEntries(new URLSearchParams(calls[2]?.body))).toMatchObject({
      ...{ Action: 'AssumeRole', RoleArn: 'r', 'Tags.member.1.Key': 'TenantId', 'Tags.member.1.Value': 'b', 'Audience.member.1': 'x' },
    });
  });

  it.each([
    [400, '{"__type":"com.amazonaws#AccessDeniedException"}', { kind: 'refused', code: 'AccessDeniedException' }],
    [400, '{"__type":"ResourceNotFoundException"}', { kind: 'let-through', code: 'ResourceNotFoundException' }],
    [400, '{"__type":"ThrottlingException"}', { kind: 'no-answer', code: 'ThrottlingException' }],
    [500, 'oops', { kind: 'no-answer', code: 'Http500' }],
  ])('come back as what they are: %s %s', async (status, body, answer) => {
    expect(await tried(status, body).tryCall({ service: 'dynamodb', operation: 'Scan', input: {} })).toEqual(answer);
  });
});
