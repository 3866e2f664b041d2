import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot, itemsOf, publishedSince } from '../support/ground-truth.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { askDoorKey, type DoorAnswer, postSecret, registryItem, sealKey, supplierToken, supplyKey } from '../support/supply.ts';

const tiers = ['pool', 'dedicated'] as const;
const [main, spare] = ['orders-db', 'spare-db'];
const database = (credentialId: string, environment: string) =>
  ({ credentialId, provider: 'postgres', environment, source: 'customer-supplied' }) as const;

let test: TestCloud;
let server: TestPostgres;
let tenants: Record<(typeof tiers)[number], string>;
const closing: Server[] = [];

beforeAll(async () => {
  [test, server] = await Promise.all([testCloud(), startPostgres()]);
  const onboard = async (tier: string): Promise<string> => {
    const credentials = [database(main, 'production'), database(spare, 'staging')];
    const { tenantId, outcome } = await test.onboard({ tenantId: test.freshTenantId(tier), tier, credentials });
    expect(outcome.detailType).toBe('TenantProvisioned');
    return tenantId;
  };
  tenants = { pool: await onboard('pool'), dedicated: await onboard('dedicated') };
});
afterAll(async () => {
  for (const listener of closing) listener.close();
  await server.stop();
});

/** Text that is searched for afterwards wherever this run has written, with what it looks like in a URI. */
function secretText(): string {
  const text = `pä/${randomBytes(24).toString('base64')}`;
  for (const form of [text, encodeURIComponent(text)]) test.tokens.add(form);
  return text;
}

/** A database user with a password of its own, and the string that leads there. */
async function connectionString(): Promise<string> {
  const [user, password] = [`agent_${randomBytes(4).toString('hex')}`, secretText()];
  const admin = new pg.Client({ connectionString: server.connectionString() });
  await admin.connect();
  await admin.query(`create role ${user} login password ${pg.escapeLiteral(password)}`);
  await admin.end();
  return server.connectionString({ user, password });
}

/** A second address of the database: what comes there is counted and passed on. */
async function forwarder(port = 0): Promise<{ port: number; connections: () => number; close(): Promise<void> }> {
  let seen = 0;
  const listener = createServer((client) => {
    seen += 1;
    const upstream = connect(server.port, server.host);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.pipe(upstream).pipe(client);
  });
  closing.push(listener);
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => seen,
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}

async function statusOf(tenantId: string, credentialId: string): Promise<unknown> {
  return (await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`))['status'];
}

const supply = (tenantId: string, credentialId: string, text: string): Promise<DoorAnswer> =>
  supplyKey(test, { tenantId, credentialId, connectionString: text });

const secretNames = async (tenantId: string): Promise<string[]> => (await test.secretsOf(tenantId)).map(({ name }) => name);

async function keyOfSecret(tenantId: string, credentialId: string): Promise<unknown> {
  return (await asRoot(test.cloud, 'secretsmanager', 'DescribeSecret', { SecretId: `cordon/${tenantId}/${credentialId}` }))['KmsKeyId'];
}

async function storedText(tenantId: string, credentialId: string): Promise<unknown> {
  const { secretsmanager } = test.clients(await test.tenantSession(tenantId));
  const { SecretString = '' } = await secretsmanager.send(new GetSecretValueCommand({ SecretId: `cordon/${tenantId}/${credentialId}` }));
  return JSON.parse(SecretString);
}

describe.each(tiers)('B4 B7 the connection string of a %s tenant', (tier) => {
  it('is tried by connecting, vaulted as it came, attributed and announced', async () => {
    const tenantId = tenants[tier];
    const { port, connections } = await forwarder();
    const text = (await connectionString()).replace(`:${server.port}/`, `:${port}/`);
    expect(await statusOf(tenantId, main)).toBe('awaiting');

    const answer = await supply(tenantId, main, text);

    expect(answer).toMatchObject({ status: 200 });
    expect(connections()).toBe(1);
    expect(await statusOf(tenantId, main)).toBe('active');
    expect(await storedText(tenantId, main)).toEqual({ connectionString: text });
    await test.settled();
    expect((await test.published(tenantId)).filter(({ detailType }) => detailType === 'CredentialProvisioned')).toMatchObject([
      { detail: { credential: { credentialId: main, provider: 'postgres', source: 'customer-supplied', status: 'active' } } },
    ]);
    const { secretVersionId: version } = await registryItem(test, tenantId, `CREDENTIAL#${main}`);
    expect(version).toEqual(expect.any(String));
    const uses = (await usesBy(test, tenantId)).filter(({ intent }) => intent.credentialId === main);
    expect(
      uses.map(({ intent, outcome, credentialVersion }) => ({ what: intent.operation, result: outcome.result, credentialVersion })),
    ).toEqual([
      { what: 'database.connect', result: 'succeeded', credentialVersion: undefined },
      { what: 'vault.store-secret', result: 'succeeded', credentialVersion: version },
    ]);
  });

  it('lies under the key that the tier has', async () => {
    const tenantId = tenants[tier];
    const { keyArn: own } = await registryItem(test, tenantId, 'TENANT');
    if (tier === 'dedicated') expect(own).toMatch(/^arn:aws:kms:/);
    expect(await keyOfSecret(tenantId, main)).toBe(tier === 'dedicated' ? own : test.cloud.outputs['TenantKeyArn']);
  });

  it.each<[string, () => Promise<string>, { status: number; code: string; says: RegExp }]>([
    [
      'with a wrong password',
      async () => (await connectionString()).replace(/:[^:@/]+@/, `:${encodeURIComponent(secretText())}@`),
      { status: 422, code: 'KEY_REFUSED', says: /does not accept user and password/ },
    ],
    [
      'to a database that is not there',
      async () => (await connectionString()).replace(/\/postgres$/, '/no-such-database'),
      { status: 422, code: 'KEY_REFUSED', says: /no such database/ },
    ],
    [
      'to a closed port',
      async () => {
        const { port, close } = await forwarder();
        await close();
        return (await connectionString()).replace(`:${server.port}/`, `:${port}/`);
      },
      { status: 503, code: 'DATABASE_UNAVAILABLE', says: /nothing listens at its address/ },
    ],
    ...['10.0.0.1', '169.254.169.254', '[::1]', 'db.internal', '0x7f000001', 'db'].map(
      (host): [string, () => Promise<string>, { status: number; code: string; says: RegExp }] => [
        `to the private host ${host}`,
        async () => `postgres://agent:${encodeURIComponent(secretText())}@${host}:5432/orders`,
        { status: 422, code: 'KEY_REFUSED', says: /its host must be the DNS name of a public server/ },
      ],
    ),
    [
      'that would settle for an unproven server',
      async () => `postgres://agent:${encodeURIComponent(secretText())}@db.customer.com:5432/orders?sslmode=prefer`,
      { status: 422, code: 'KEY_REFUSED', says: /sslmode must be verify-full/ },
    ],
  ])('%s is refused in plain words, and nothing is stored', async (_what, make, { status, code, says }) => {
    const tenantId = tenants[tier];
    const text = await make();
    const answer = await supply(tenantId, spare, text);
    expect(answer).toMatchObject({ status, code });
    expect(answer.text).toMatch(says);
    for (const piece of [text, new URL(text).password]) expect(answer.text).not.toContain(piece);
    expect(await secretNames(tenantId)).not.toContain(`cordon/${tenantId}/${spare}`);
    expect(await statusOf(tenantId, spare)).toBe('awaiting');
  });

  it('waits for a database that is down: the very same supply works once it is up', async () => {
    const tenantId = tenants[tier];
    const first = await forwarder();
    await first.close();
    const text = (await connectionString()).replace(`:${server.port}/`, `:${first.port}/`);
    const token = await supplierToken(test, tenantId);
    const jwe = await sealKey(test, await askDoorKey(test, token), { tenantId, credentialId: spare, connectionString: text });
    expect(await postSecret(test, token, spare, { jwe })).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE' });
    await forwarder(first.port);
    expect(await postSecret(test, token, spare, { jwe })).toMatchObject({ status: 200 });
    expect(await postSecret(test, token, spare, { jwe })).toMatchObject({ status: 409, code: 'SUPPLY_NONCE_REFUSED' });
    expect(await storedText(tenantId, spare)).toEqual({ connectionString: text });
  });
});

describe('B4 a secret of the other kind', () => {
  it('is not taken: a key for a database, a connection string for a provider', async () => {
    const credentialId = 'anthropic-own';
    const credential = { credentialId, provider: 'anthropic', environment: 'production', source: 'customer-supplied' };
    const { tenantId } = await test.onboard({ credentials: [database(main, 'production'), credential] });
    const apiKey = test.cloud.world.issueKey('anthropic');
    expect(await supplyKey(test, { tenantId, credentialId: main, apiKey })).toMatchObject({ status: 400, code: 'SUPPLY_REFUSED' });
    expect(await supply(tenantId, credentialId, await connectionString())).toMatchObject({ status: 400, code: 'SUPPLY_REFUSED' });
    expect(await secretNames(tenantId)).toEqual([]);
  });
});

describe('B4 I1 the broker and databases', () => {
  it('has no way to call one, whatever path or rule asks for it', async () => {
    const tenantId = tenants.pool;
    const since = test.cloud.clock.now();
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    const call = async (path: string): Promise<{ status: number; text: string }> => {
      const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-cordon-credential': main },
        body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
      });
      return { status: response.status, text: await response.text() };
    };
    const postgres = await call('postgres/query');
    expect(postgres.status).toBe(404);
    expect(postgres.text).toContain('PROVIDER_UNKNOWN');

    await test.putEvents({
      detailType: 'RoutingRulesChanged',
      detail: {
        version: 1,
        tenantId,
        requestedBy: 'test',
        rules: [{ match: { provider: 'openai', environment: 'production' }, use: main }],
      },
    });
    await test.settled();
    const asked = test.cloud.openai.requests().length;
    const crossed = await call('openai/v1/chat/completions');
    expect(crossed.status).toBeGreaterThanOrEqual(400);
    expect(test.cloud.openai.requests().length).toBe(asked);
    const told = (await publishedSince(test.cloud, since)).filter(({ detail }) => detail['tenantId'] === tenantId);
    expect(told.map(({ detailType }) => detailType)).not.toContain('RoutingRulesApplied');
    const names = (await itemsOf(test.cloud, 'AttributionTable')).filter(({ pk }) => pk.S.startsWith(`TENANT#${tenantId}#`));
    expect(JSON.stringify(names)).not.toContain('"provider.call"');
  });
});
