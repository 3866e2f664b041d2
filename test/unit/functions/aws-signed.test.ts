import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from 'vitest';
import { createAttributionStore } from '../../../functions/attribution/attribution-store.dynamodb.ts';
import { createSignedAttributionStore } from '../../../functions/attribution/attribution-store.signed.ts';
import { createSignedCatalogueStore } from '../../../functions/broker/catalogue.dynamodb-signed.ts';
import { createSignedGate } from '../../../functions/broker/gate.dynamodb-signed.ts';
import { createSessionsFunction } from '../../../functions/broker/tenant-session.lambda-signed.ts';
import { createSignedVaultReader } from '../../../functions/broker/vault-reader.signed.ts';
import { createVault } from '../../../functions/credentials/vault.secrets-manager.ts';
import { createSignedSender, type SigningCredentials } from '../../../functions/shared/aws-signed.ts';
import { callJson } from '../../../functions/shared/aws-signed-json.ts';
import { callSts } from '../../../functions/shared/aws-signed-sts.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createRegistry } from '../../../functions/tenants/registry.dynamodb.ts';
import { attributionStoreContract } from '../../contracts/attribution-store.suite.ts';
import { type LocalAws, startLocalAws } from '../../contracts/local-aws.ts';
import { acme, ann, main } from './broker-world.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const nobody: SigningCredentials = { accessKeyId: 'AKIA', secretAccessKey: 's', sessionToken: undefined };

/** A server in the place of AWS. */
async function answering(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request, response, ++count));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function localAws(): Promise<{ aws: LocalAws; send: ReturnType<typeof createSignedSender>; credentials: SigningCredentials }> {
  const aws = await startLocalAws();
  closing.push(() => aws.close());
  const { accessKeyId, secretAccessKey } = aws.kernel.addAccount(aws.accountId);
  return {
    aws,
    send: createSignedSender({ region: aws.region, endpoint: aws.endpoint }),
    credentials: { accessKeyId, secretAccessKey, sessionToken: undefined },
  };
}

const describeTable = { service: 'dynamodb', operation: 'GetItem', timeoutMs: 300 } as const;

describe('a signed call', () => {
  it('fails when no answer comes in time, and says so as an error that may pass', async () => {
    const endpoint = await answering(() => undefined);
    const send = createSignedSender({ region: 'us-east-1', endpoint });
    const began = performance.now();
    await expect(callJson(send, nobody, describeTable, {})).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('is made again when the kept connection was closed meanwhile, once', async () => {
    const endpoint = await answering((request, response, count) => {
      if (count === 2) request.socket.destroy();
      else response.end('{}');
    });
    const send = createSignedSender({ region: 'us-east-1', endpoint });
    await callJson(send, nobody, describeTable, {});
    expect(await callJson(send, nobody, describeTable, {})).toEqual({});
  });

  it('is not made again over a new connection', async () => {
    let calls = 0;
    const endpoint = await answering((request) => {
      calls += 1;
      request.socket.destroy();
    });
    await expect(callJson(createSignedSender({ region: 'us-east-1', endpoint }), nobody, describeTable, {})).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(calls).toBe(1);
  });

  it.each([
    ['{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow"}', 'ThrottlingException'],
    ['{"__type":"AccessDeniedException","Message":"no"}', 'AccessDeniedException'],
    ['<html>', 'Http400'],
  ])('that is refused carries AWS’s code as its name: %s', async (body, name) => {
    const endpoint = await answering((_request, response) => void response.writeHead(400).end(body));
    await expect(callJson(createSignedSender({ region: 'us-east-1', endpoint }), nobody, describeTable, {})).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('is refused by AWS with a wrong secret', async () => {
    const { send, credentials } = await localAws();
    await expect(callJson(send, { ...credentials, secretAccessKey: 'wrong' }, describeTable, {})).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });

  it('reads what STS answers in XML', async () => {
    const { aws, send, credentials } = await localAws();
    const answer = await callSts(send, credentials, { action: 'GetCallerIdentity', timeoutMs: 2000 }, {});
    expect(answer('Account')).toBe(aws.accountId);
    const refused = callSts(
      send,
      credentials,
      { action: 'AssumeRole', timeoutMs: 2000 },
      { RoleArn: 'arn:aws:iam::111122223333:role/none', RoleSessionName: 'x1' },
    );
    await expect(refused).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('the function `sessions`', () => {
  const session = {
    tenantId: 'acme',
    userId: ann,
    tier: 'pool',
    credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T', expiresAt: '2026-11-21T12:15:00.000Z' },
  };
  const asking = async (answer: string, headers: Record<string, string> = {}, status = 200) => {
    const endpoint = await answering((_request, response) => void response.writeHead(status, headers).end(answer));
    return createSessionsFunction({
      send: createSignedSender({ region: 'us-east-1', endpoint }),
      credentials: nobody,
      functionName: 'sessions',
      timeoutMs: 500,
    });
  };

  it('answers a session', async () => {
    const { mint } = await asking(JSON.stringify(session));
    expect(await mint('jwt')).toEqual({
      tenantId: 'acme',
      tier: 'pool',
      credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' },
      expiresAt: Date.parse('2026-11-21T12:15:00Z'),
    });
  });

  it.each([
    ['a refusal', '{"error":{"code":"TOKEN_REFUSED","message":"x"}}', {}, 200, 'TOKEN_REFUSED'],
    ['that it cannot', '{"error":{"code":"UNAVAILABLE","message":"x"}}', {}, 200, 'SESSION_UNAVAILABLE'],
    ['a failure', '{"errorType":"Error"}', { 'x-amz-function-error': 'Unhandled' }, 200, 'SESSION_UNAVAILABLE'],
    ['a tenant that is none', JSON.stringify({ ...session, tenantId: '*' }), {}, 200, 'SESSION_UNAVAILABLE'],
    ['no credentials', JSON.stringify({ ...session, credentials: {} }), {}, 200, 'SESSION_UNAVAILABLE'],
    ['nothing', 'null', {}, 200, 'SESSION_UNAVAILABLE'],
    ['no permission', '{}', { 'x-amzn-errortype': 'AccessDeniedException' }, 403, 'SESSION_UNAVAILABLE'],
  ])('answering %s opens no session', async (_what, answer, headers, status, code) => {
    const { mint } = await asking(answer, headers, status);
    await expect(mint('jwt')).rejects.toMatchObject({ code });
  });
});

attributionStoreContract('DynamoDB, signed', async () => {
  const { aws, send, credentials } = await localAws();
  const { record } = createSignedAttributionStore({ send, credentials, table: aws.attributionTable, timeoutMs: 2000 });
  return { record, entries: (query) => createAttributionStore(aws.admin.dynamodb, aws.attributionTable).entries(query) };
});

describe('the signed stores read what the SDK’s write', () => {
  async function registered() {
    const { aws, send, credentials } = await localAws();
    const registry = createRegistry({ client: aws.admin.dynamodb, table: aws.registryTable, clock: Date.now, nextId: createIds(Date.now) });
    const common = { tenantId: acme, epoch: 2, requestedBy: 'op', announced: true };
    await registry.addTenant({
      ...common,
      kind: 'TENANT',
      status: 'active',
      displayName: 'Acme',
      tier: 'pool',
      attempt: 1,
      leaseUntil: 0,
      accounts: {},
      plan: [],
      rules: [
        { match: { provider: 'openai', environment: 'production', labels: { tier: 'gold' } }, use: main },
        { match: { provider: 'openai', environment: 'staging' }, use: main, backup: credentialId.parse('spare') },
      ],
      rulesVersion: 4,
      rulesEventIds: [],
      rulesAnnounced: true,
    });
    await registry.addUser({ ...common, kind: 'USER', userId: ann, status: 'active', issuer: 'https://idp.example.com', subject: 'ann' });
    await registry.addCredential({
      ...common,
      kind: 'CREDENTIAL',
      credentialId: main,
      provider: 'openai',
      source: 'platform-issued',
      environment: 'production',
      dataClasses: ['phi'],
      labels: { a: 'b' },
      tier: 'pool',
      status: 'active',
      attempt: 1,
      leaseUntil: 0,
      secretMayExist: true,
      secretVersionId: 'v1',
    });
    const deps = { send, credentials, table: aws.registryTable, tenantId: acme, timeoutMs: 2000 };
    return { aws, gate: createSignedGate(deps), catalogue: createSignedCatalogueStore(deps) };
  }
  const question = { tenantId: acme, userId: ann, credentialId: main, agentId: 'bot', sessionId: 's 1' };

  it('the gate: standing of tenant, user and credential, and tombstones, in one call', async () => {
    const { aws, gate } = await registered();
    const active = {
      tenant: { status: 'active', epoch: 2, rulesVersion: 4 },
      user: { status: 'active', epoch: 2, version: 1 },
      credential: { status: 'active', epoch: 2, version: 1, secretVersionId: 'v1', diverted: false, versionRevoked: false },
      agentRevoked: false,
      sessionRevoked: false,
    };
    expect(await gate.read(question)).toEqual(active);
    const { PutItemCommand, UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
    for (const sk of ['REVOKED#AGENT#bot', 'REVOKED#SESSION#s 1']) {
      await aws.admin.dynamodb.send(
        new PutItemCommand({ TableName: aws.registryTable, Item: { pk: { S: 'TENANT#acme#' }, sk: { S: sk } } }),
      );
    }
    expect(await gate.read(question)).toEqual({ ...active, agentRevoked: true, sessionRevoked: true });
    expect(await gate.read({ ...question, agentId: undefined, sessionId: undefined })).toEqual(active);
    await aws.admin.dynamodb.send(
      new UpdateItemCommand({
        TableName: aws.registryTable,
        Key: { pk: { S: 'TENANT#acme#' }, sk: { S: 'CREDENTIAL#main' } },
        UpdateExpression: 'SET diverted = :yes',
        ExpressionAttributeValues: { ':yes': { BOOL: true } },
      }),
    );
    expect((await gate.read(question)).credential).toEqual({ ...active.credential, diverted: true });
  });

  it('the gate: somebody without an item who was revoked, until that is lifted', async () => {
    const { aws, gate } = await registered();
    const { PutItemCommand } = await import('@aws-sdk/client-dynamodb');
    const ben = userIdOf('https://idp.example.com', 'ben');
    const bury = (lifted: object): Promise<unknown> => {
      const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: `REVOKED#USER#${ben}` }, ...lifted };
      return aws.admin.dynamodb.send(new PutItemCommand({ TableName: aws.registryTable, Item }));
    };
    expect((await gate.read({ ...question, userId: ben })).user).toBeUndefined();
    await bury({});
    expect((await gate.read({ ...question, userId: ben })).user).toMatchObject({ status: 'revoked' });
    await bury({ lifted: { BOOL: true } });
    expect((await gate.read({ ...question, userId: ben })).user).toBeUndefined();
  });

  it('the gate: a version that was revoked by itself, as long as it is the one in force', async () => {
    const { aws, gate } = await registered();
    const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
    const set = (list: readonly string[]): Promise<unknown> =>
      aws.admin.dynamodb.send(
        new UpdateItemCommand({
          TableName: aws.registryTable,
          Key: { pk: { S: 'TENANT#acme#' }, sk: { S: 'CREDENTIAL#main' } },
          UpdateExpression: 'SET revokedVersionIds = :list',
          ExpressionAttributeValues: { ':list': { L: list.map((S) => ({ S })) } },
        }),
      );
    await set(['v0', 'v1']);
    expect((await gate.read(question)).credential?.versionRevoked).toBe(true);
    await set(['v0']);
    expect((await gate.read(question)).credential?.versionRevoked).toBe(false);
  });

  it('the gate: strongly consistent, and of the tenant’s own partition only', async () => {
    const asked: string[] = [];
    const gate = createSignedGate({
      send: async (_credentials, call) => {
        asked.push(call.body);
        return { status: 200, headers: {}, body: '{"Responses":{"registry":[]}}' };
      },
      credentials: nobody,
      table: 'registry',
      timeoutMs: 500,
    });
    await gate.read(question);
    const { registry } = JSON.parse(asked[0] ?? '').RequestItems;
    expect(registry.ConsistentRead).toBe(true);
    expect(registry.Keys.map(({ pk, sk }: { pk: { S: string }; sk: { S: string } }) => `${pk.S} ${sk.S}`)).toEqual([
      'TENANT#acme# TENANT',
      `TENANT#acme# USER#${ann}`,
      `TENANT#acme# REVOKED#USER#${ann}`,
      'TENANT#acme# CREDENTIAL#main',
      'TENANT#acme# REVOKED#AGENT#bot',
      'TENANT#acme# REVOKED#SESSION#s 1',
    ]);
  });

  it('the catalogue: rules and what credentials are for', async () => {
    const { catalogue } = await registered();
    expect(await catalogue.rules()).toEqual({
      rulesVersion: 4,
      rules: [
        { match: { provider: 'openai', environment: 'production', labels: { tier: 'gold' } }, use: 'main' },
        { match: { provider: 'openai', environment: 'staging', labels: {} }, use: 'main', backup: 'spare' },
      ],
    });
    expect(await catalogue.credentials()).toMatchObject([
      {
        credentialId: 'main',
        provider: 'openai',
        source: 'platform-issued',
        environment: 'production',
        dataClasses: ['phi'],
        labels: { a: 'b' },
        settings: {},
      },
    ]);
  });

  it.each([
    ['answers in part', { Responses: { registry: [] }, UnprocessedKeys: { registry: { Keys: [{}] } } }],
    ['answers without items', {}],
    [
      'answers with an epoch that is none',
      { Responses: { registry: [{ sk: { S: 'TENANT' }, status: { S: 'active' }, rulesVersion: { N: '1' } }] } },
    ],
  ])('a registry that %s opens no gate', async (_what, answer) => {
    const endpoint = await answering((_request, response) => void response.end(JSON.stringify(answer)));
    const gate = createSignedGate({
      send: createSignedSender({ region: 'us-east-1', endpoint }),
      credentials: nobody,
      table: 'registry',
      timeoutMs: 500,
    });
    await expect(gate.read(question)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', retryable: true });
  });

  it('a registry that IAM keeps closed is told apart: it is a violation, in Cordon’s own terms', async () => {
    const endpoint = await answering(
      (_request, response) => void response.writeHead(400).end('{"__type":"AccessDeniedException","Message":"arn:aws:dynamodb:x"}'),
    );
    const gate = createSignedGate({
      send: createSignedSender({ region: 'us-east-1', endpoint }),
      credentials: nobody,
      table: 'registry',
      timeoutMs: 500,
    });
    await expect(gate.read(question)).rejects.toMatchObject({
      code: 'ACCESS_REFUSED',
      violation: { operation: 'dynamodb:BatchGetItem', resource: 'TENANT#acme#', code: 'ACCESS_REFUSED' },
    });
  });

  it('the vault: the very version that is asked for, and nothing of a secret that cannot be read', async () => {
    const { aws, send, credentials } = await localAws();
    const [first, second] = ['1'.repeat(64), '2'.repeat(64)];
    const vault = createVault(aws.admin.secretsmanager);
    const place = {
      tenantId: acme,
      credentialId: main,
      provider: 'openai',
      tier: 'pool',
      environment: 'production',
      kmsKeyArn: aws.keyArn,
    } as const;
    await vault.store(place, new SecretText('sk-1'), first);
    await vault.store(place, new SecretText('sk-2'), second);
    const reader = createSignedVaultReader({ send, credentials, timeoutMs: 2000 });
    const read = async (version: string) => {
      const secret = await reader.read(acme, main, version);
      return secret.kind === 'api-key' ? secret.apiKey.reveal() : secret.kind;
    };
    expect([await read(first), await read(second)]).toEqual(['sk-1', 'sk-2']);
    await expect(read('3'.repeat(64))).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect((await aws.admin.secretsmanager.send(new GetSecretValueCommand({ SecretId: 'cordon/acme/main' }))).VersionId).toBe(second);
    await vault.store(place, new SecretText('sk-canary\r\nx-header: 1'), '4'.repeat(64));
    const failed = await read('4'.repeat(64)).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    expect(JSON.stringify(failed instanceof Error ? [failed.message, String(failed.cause), failed.stack] : [])).not.toContain('canary');
  });
});
