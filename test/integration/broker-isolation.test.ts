import * as dynamodb from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DecryptCommand } from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, GetWebIdentityTokenCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { asRoot } from '../support/ground-truth.ts';
import { credentialsOf, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';
import { refusal, sessionAnswer } from '../support/session-answers.ts';

let test: TestCloud;
let on: Neighbours;
/** What code in the broker's environment has: the credentials of the function's own role, and the token of a caller of `a`. */
let broker: AwsCredentials;
let tokenOfA: string;
/** `a`'s session as the broker gets it from `sessions`. */
let session: AwsCredentials;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
  broker = await credentialsOf(test, 'broker');
  tokenOfA = await test.cloud.oidc.mint({ tenantId: on.a, userId: 'agent', expiresIn: 3600 });
  session = sessionAnswer.parse(await ask({ token: tokenOfA })).credentials;
});

const output = (name: string): string => test.cloud.outputs[name] ?? '';

/** Invokes `sessions` with the broker's credentials. */
async function ask(payload: object): Promise<unknown> {
  const FunctionName = test.cloud.functionArns['sessions'];
  const { Payload, FunctionError } = await test
    .clients(broker)
    .lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
  expect(FunctionError).toBeUndefined();
  return JSON.parse(Payload?.transformToString() ?? 'null');
}

/** The token with other claims, and the signature it had. */
function claiming(token: string, claims: Readonly<Record<string, unknown>>): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')), ...claims };
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
}

describe('I11 the broker’s environment of A asks for a session', () => {
  it('and gets A’s, whatever else it says', async () => {
    const answer = sessionAnswer.parse(await ask({ token: tokenOfA }));
    expect(answer.tenantId).toBe(on.a);
    expect(test.cloud.kernel.callerOf(answer.credentials.accessKeyId)?.tags).toEqual({ TenantId: on.a });
  });

  it.each<[title: string, payload: () => object]>([
    ['names B beside the token', () => ({ token: tokenOfA, tenantId: on.b })],
    ['writes B into the token', () => ({ token: claiming(tokenOfA, { tenant_id: on.b }) })],
    ['takes the signature away', () => ({ token: `${claiming(tokenOfA, { tenant_id: on.b }).split('.').slice(0, 2).join('.')}.` })],
    ['has no token', () => ({ tenantId: on.b })],
    ['shows its own AWS session for a token', () => ({ token: broker.sessionToken })],
  ])('and is refused when it %s', async (_, payload) => {
    expect(await ask(payload())).toEqual(refusal);
  });
});

describe('I11 I3 the broker’s own role', () => {
  const roles = ['TenantReader', 'TenantWriter', 'TenantSupplier', 'TenantProvisioner', 'TenantAuditor', 'ByocConnector'];

  it.each(roles)('cannot become %s, neither of A nor of B', async (role) => {
    for (const tenantId of [on.a, on.b]) {
      const input = { RoleArn: output(`${role}RoleArn`), RoleSessionName: tenantId, Tags: [{ Key: 'TenantId', Value: tenantId }] };
      const { outcome } = await test.attempt(broker, ({ sts }) => sts.send(new AssumeRoleCommand(input)));
      expect(outcome).toBe('denied');
    }
  });

  it.each<[title: string, call: Call, decidedBy: string | RegExp]>([
    [
      'read A’s own secret',
      ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId: on.secrets.ofA.arn })),
      'FunctionBoundary/DenyTenantSecrets',
    ],
    [
      'read B’s secret',
      ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId: on.secrets.ofB.arn })),
      'FunctionBoundary/DenyTenantSecrets',
    ],
    [
      'read an item',
      ({ dynamodb: c }) => c.send(new dynamodb.GetItemCommand({ TableName: output('RegistryTable'), Key: itemOf(on.a) })),
      'FunctionBoundary/DenyTenantItems',
    ],
    [
      'publish an event',
      ({ events: c }) => c.send(new PutEventsCommand({ Entries: [event('cordon', 'CredentialProvisioned')] })),
      notGranted,
    ],
    [
      'speak as the platform',
      ({ events: c }) => c.send(new PutEventsCommand({ Entries: [event('cordon.platform', 'TenantOnboarded')] })),
      notGranted,
    ],
    [
      'prove an identity',
      ({ sts: c }) => c.send(new GetWebIdentityTokenCommand({ Audience: ['x'], SigningAlgorithm: 'RS256' })),
      notGranted,
    ],
    ...(['tenants', 'door', 'evidence', 'authorizer', 'broker'] as const).map((name): [string, Call, RegExp] => [
      `invoke ${name}`,
      ({ lambda: c }) =>
        c.send(new InvokeCommand({ FunctionName: test.cloud.functionArns[name], ...(name === 'broker' && { TenantId: on.b }) })),
      notGranted,
    ]),
  ])('may not %s', async (_, call, decidedBy) => {
    await expectDenied(test, broker, call, decidedBy);
  });

  it('may use no tenant’s key', async () => {
    const sealed = { CiphertextBlob: Buffer.alloc(64), KeyId: output('TenantKeyArn'), EncryptionContext: { TenantId: on.a } };
    const { outcome } = await test.attempt(broker, ({ kms }) => kms.send(new DecryptCommand(sealed)));
    expect(outcome).not.toBe('allowed');
  });
});

const itemOf = (tenantId: string) => ({ pk: { S: `TENANT#${tenantId}#` }, sk: { S: 'TENANT' } });
const event = (Source: string, DetailType: string) => ({
  EventBusName: output('EventBusName'),
  Source,
  DetailType,
  Detail: JSON.stringify({ tenantId: on.b }),
});

describe('I6 A’s tenant session in the broker’s hands', () => {
  const secretOf =
    (secret: () => { arn: string }): Call =>
    ({ secretsmanager: c }) =>
      c.send(new GetSecretValueCommand({ SecretId: secret().arn }));
  const readItem =
    (tenantId: () => string): Call =>
    ({ dynamodb: c }) =>
      c.send(new dynamodb.GetItemCommand({ TableName: output('RegistryTable'), Key: itemOf(tenantId()) }));
  const readLog =
    (tenantId: () => string): Call =>
    ({ dynamodb: c }) => {
      const today = new Date(test.cloud.clock.now()).toISOString().slice(0, 10);
      const ExpressionAttributeValues = { ':pk': { S: `TENANT#${tenantId()}#${today}` } };
      return c.send(
        new dynamodb.QueryCommand({ TableName: output('AttributionTable'), KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues }),
      );
    };

  it('reads what is A’s', async () => {
    for (const call of [secretOf(() => on.secrets.ofA), readItem(() => on.a), readLog(() => on.a)])
      await expectAllowed(test, session, call);
  });

  it.each<[string, Call, string]>([
    ['secret', secretOf(() => on.secrets.ofB), 'DenySecretsOfOtherPaths'],
    ['item', readItem(() => on.b), 'DenyItemsOfOtherTenants'],
    ['log', readLog(() => on.b), 'DenyItemsOfOtherTenants'],
  ])('reads no %s of B', async (_, call, sid) => {
    await expectDenied(test, session, call, isolation(sid));
  });
});

describe('I11 an environment for each tenant', () => {
  const groups = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
  const page = z.object({ events: z.array(z.object({ logStreamName: z.string(), message: z.string() })) });
  /** Log streams, which are environments, in which calls of the tenant were carried out. */
  async function environmentsOf(tenantId: string): Promise<ReadonlySet<string>> {
    await test.settled();
    const { logGroups } = groups.parse(await asRoot(test.cloud, 'logs', 'DescribeLogGroups'));
    const found = new Set<string>();
    for (const { logGroupName } of logGroups) {
      const { events } = page.parse(await asRoot(test.cloud, 'logs', 'FilterLogEvents', { logGroupName }));
      for (const { logStreamName, message } of events)
        if (message.includes('"service":"broker"') && message.includes(`"tenantId":"${tenantId}"`)) found.add(logStreamName);
    }
    return found;
  }

  /** A call that the broker itself refuses, and writes down that it did. */
  async function call(tenantId: string): Promise<number> {
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/mistral/v1/models`, { headers: { authorization: `Bearer ${token}` } });
    return response.status;
  }

  it('serves that tenant’s calls one after the other, and no other tenant’s', async () => {
    for (const tenantId of [on.a, on.b, on.a, on.b]) expect(await call(tenantId)).toBe(404);
    const [ofA, ofB] = [await environmentsOf(on.a), await environmentsOf(on.b)];
    expect([ofA.size, ofB.size]).toEqual([1, 1]);
    expect(ofA).not.toEqual(ofB);
  });

  it('is not changed by a tenant header that the client sends', async () => {
    const before = await environmentsOf(on.b);
    const headers = { authorization: `Bearer ${tokenOfA}`, 'x-amz-tenant-id': on.b, 'x-cordon-tenant': on.b, 'x-tenant-id': on.b };
    const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/mistral/v1/models`, { headers });
    const { error } = z.object({ error: z.object({ requestId: z.string() }) }).parse(await response.json());
    expect((await environmentsOf(on.a)).size).toBe(1);
    expect(await environmentsOf(on.b)).toEqual(before);
    expect(error.requestId).not.toBe('');
  });

  const invocation = (tenantId: string, userId: string) => ({
    resource: '/proxy/{provider}/{path+}',
    path: '/proxy/mistral/v1/models',
    httpMethod: 'GET',
    headers: { Authorization: `Bearer ${tokenOfA}` },
    pathParameters: { provider: 'mistral', path: 'v1/models' },
    requestContext: {
      requestId: 'r-1',
      authorizer: { tenantId, userId, exp: String(Math.floor(test.cloud.clock.now() / 1000) + 300) },
    },
  });
  const invoke = (input: object) => asRoot(test.cloud, 'lambda', 'Invoke', { FunctionName: test.cloud.functionArns['broker'], ...input });

  it('is not entered without a tenant', async () => {
    const Payload = JSON.stringify(invocation(on.a, on.ana));
    await expect(invoke({ Payload })).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
  });

  it.each<[title: string, environment: () => string, authorized: () => string]>([
    ['B’s call in A’s environment', () => on.a, () => on.b],
    ['A’s call in B’s environment', () => on.b, () => on.a],
  ])('refuses %s', async (_, environment, authorized) => {
    const answer = await invoke({ TenantId: environment(), Payload: JSON.stringify(invocation(authorized(), on.ana)) });
    expect(String(answer['Payload'])).toMatch(/TENANT_MISMATCH/);
  });

  it('gets no session for its tenant with another tenant’s token, even if the authorizer were mistaken', async () => {
    // Nobody of this tenant has called yet: its environment holds nothing.
    const { tenantId } = await test.onboard();
    const answer = await invoke({ TenantId: tenantId, Payload: JSON.stringify(invocation(tenantId, on.ana)) });
    expect(String(answer['Payload'])).toMatch(/TENANT_MISMATCH/);
  });
});
