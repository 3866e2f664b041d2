import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { type ClientCredentials, type ClientSession, createClientSession, inSession } from '../../../functions/shared/client-session.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createSessionClients } from '../../../functions/shared/session-clients.ts';
import { createTenantSessions } from '../../../functions/shared/tenant-sessions.ts';
import { createTokenClients } from '../../../functions/shared/token-clients.ts';

const acme = tenantId.parse('acme');
const denied = { status: 400, body: '{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}' };
const answered = { status: 200, body: '{}' };

/** Stands for AWS: answers each request by the access key that signed it. Source: Signature Version 4 (`Credential=` in `Authorization`). */
function createAws(answerTo: (accessKeyId: string) => { readonly status: number; readonly body: string }) {
  const signedBy: string[] = [];
  const handle = async ({ headers }: { headers: Readonly<Record<string, string>> }) => {
    const accessKeyId = /Credential=(\w+)\//.exec(headers['authorization'] ?? '')?.[1] ?? '';
    signedBy.push(accessKeyId);
    const { status, body } = answerTo(accessKeyId);
    const stream = new Response(body).body;
    return { response: { statusCode: status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: stream } };
  };
  return { signedBy, client: { region: 'us-east-1', endpoint: 'http://aws.invalid', maxAttempts: 1, requestHandler: { handle } } };
}
const keysOf = (accessKeyId: string): ClientCredentials => ({ accessKeyId, secretAccessKey: 's', sessionToken: 't' });
const read = (client: DynamoDBClient) => client.send(new GetItemCommand({ TableName: 'registry', Key: { pk: { S: 'x' } } }));

function setUp(cutOff: readonly string[], renew?: () => Promise<ClientCredentials>) {
  const aws = createAws((accessKeyId) => (cutOff.includes(accessKeyId) ? denied : answered));
  const minted: number[] = [];
  let now = 1000;
  const session = createClientSession({
    first: keysOf('K0'),
    renew: renew ?? (async (askedAt) => keysOf(`K${minted.push(askedAt)}`)),
    clock: () => now++,
  });
  const client = inSession(new DynamoDBClient({ ...aws.client, credentials: session }), session);
  return { ...aws, minted, client };
}

describe('X5 an SDK client whose session was cut off', () => {
  it('makes the refused call once more in a new session, and every later one in that', async () => {
    const { client, signedBy, minted } = setUp(['K0']);
    await read(client);
    await read(client);
    expect(signedBy).toEqual(['K0', 'K1', 'K1']);
    expect(minted).toEqual([1000]);
  });

  it('is refused for good when the new session is refused too', async () => {
    const { client, signedBy } = setUp(['K0', 'K1']);
    await expect(read(client)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(signedBy).toEqual(['K0', 'K1']);
  });

  it('has one session minted for all calls that are refused at the same time', async () => {
    const { client, signedBy, minted } = setUp(['K0']);
    await Promise.all([read(client), read(client), read(client)]);
    expect(minted).toHaveLength(1);
    expect(signedBy.toSorted()).toEqual(['K0', 'K0', 'K0', 'K1', 'K1', 'K1']);
  });

  it('has none minted for a call whose refusal comes when there is a new session already', async () => {
    let minted = 0;
    const session = createClientSession({ first: keysOf('K0'), renew: async () => keysOf(`K${++minted}`), clock: () => 0 });
    await session.renew('K0', 1);
    await session.renew('K0', 1);
    expect({ minted, keyId: session.keyId() }).toEqual({ minted: 1, keyId: 'K1' });
  });

  it('fails as minting does when there is no new session', async () => {
    const { client } = setUp(['K0'], () => Promise.reject(new CordonError('AWS_UNAVAILABLE', 'STS is down', { retryable: true })));
    await expect(read(client)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
  });

  it('has nothing minted for what is no refusal', async () => {
    const aws = createAws(() => ({ status: 400, body: '{"__type":"ConditionalCheckFailedException"}' }));
    const session = createClientSession({ first: keysOf('K0'), renew: () => Promise.reject(new Error('asked')), clock: () => 0 });
    const client = inSession(new DynamoDBClient({ ...aws.client, credentials: session }), session);
    await expect(read(client)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    expect(aws.signedBy).toEqual(['K0']);
  });
});

describe('X5 the clients that workers keep', () => {
  it('take the tenant’s next session, which everybody else of the tenant gets from then on', async () => {
    let minted = 0;
    let now = 0;
    const assume = async () => ({
      accessKeyId: `K${minted++}`,
      secretAccessKey: new SecretText('s'),
      sessionToken: new SecretText('t'),
      expiresAt: now + 900_000,
    });
    const clock = (): number => now;
    const sessions = createTenantSessions({ assume, clock, capacity: 10 });
    const aws = createAws((accessKeyId) => (accessKeyId === 'K0' ? denied : answered));
    const make = (credentials: ClientSession) => inSession(new DynamoDBClient({ ...aws.client, credentials }), credentials);
    const open = createSessionClients({ sessions, clock, capacity: 10, make });
    const request = { roleArn: 'arn', tenantId: acme, role: 'shared' } as const;
    const client = await open(request);
    now = 60_000;
    await read(client);
    await read(await open(request));
    expect(aws.signedBy).toEqual(['K0', 'K1', 'K1']);
    expect(minted).toBe(2);
  });
});

describe('X5 the clients that APIs open by a token', () => {
  const ann = 'a'.repeat(26);
  function setUpTokens(refused: readonly string[]) {
    const asked: { token: string; fresh?: boolean }[] = [];
    const sessionsAnswers = async ({ body }: { body: Uint8Array | string }) => {
      const { token, fresh } = JSON.parse(Buffer.from(body).toString());
      asked.push({ token, ...(fresh && { fresh }) });
      const number = asked.filter((one) => one.fresh).length;
      const credentials = { ...keysOf(`K${number}`), expiresAt: new Date(900_000).toISOString() };
      const payload = JSON.stringify({ tenantId: token.startsWith('other') ? 'other' : 'acme', userId: ann, credentials });
      return { response: { statusCode: 200, headers: {}, body: new Response(payload).body } };
    };
    const aws = createAws((accessKeyId) => (refused.includes(accessKeyId) ? denied : answered));
    const config = { ...aws.client, credentials: keysOf('OWN') };
    const lambda = new LambdaClient({ ...config, requestHandler: { handle: sessionsAnswers } });
    const open = createTokenClients({
      ...{ lambda, sessionsFunctionName: 'sessions', clock: () => 0, capacity: 10 },
      make: (credentials) => inSession(new DynamoDBClient({ ...aws.client, credentials }), credentials),
    });
    return { open, asked, signedBy: aws.signedBy };
  }

  it('take a fresh session by the token of the call that is under way', async () => {
    const { open, asked, signedBy } = setUpTokens(['K0']);
    await open('first');
    const { clients } = await open('second');
    await read(clients);
    expect(asked).toEqual([{ token: 'first' }, { token: 'second' }, { token: 'second', fresh: true }]);
    expect(signedBy).toEqual(['K0', 'K1']);
  });

  it('take none of another tenant', async () => {
    const { open, signedBy } = setUpTokens(['K0']);
    const { clients } = await open('first');
    // What nothing should ever do: the same session for two tenants.
    await open('other');
    await expect(read(clients)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(signedBy).toEqual(['K0']);
  });
});
