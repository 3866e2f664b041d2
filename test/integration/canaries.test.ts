import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { canariesOf, sightings, tracesOf } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

const newSecret = (): string => `sk-canary-${randomBytes(30).toString('base64')}`;
const spottedIn = async (secret: string) => sightings(await tracesOf(test), [{ kind: 'a planted secret', secret }]);

describe('E2 no plaintext secret outside the vault: the search that says so', () => {
  it('knows every secret of a run: keys of the provider, sessions, users and tokens', async () => {
    const { tenantId } = await test.onboard();
    const session = await test.tenantSession(tenantId);
    const known = canariesOf(test);
    const secrets = known.map(({ secret }) => secret);
    expect(secrets).toEqual(expect.arrayContaining([...test.cloud.openai.plantedSecrets()]));
    expect(secrets).toEqual(expect.arrayContaining([session.secretAccessKey, session.sessionToken, test.cloud.operator.secretAccessKey]));
    expect(new Set(known.map(({ kind }) => kind)).size).toBe(5);
    expect(test.tokens.size).toBe(1);
  });

  it('finds what is written to a log', async () => {
    const secret = newSecret();
    const at = { logGroupName: 'somewhere', logStreamName: 'stream' };
    await asRoot(test.cloud, 'logs', 'CreateLogGroup', { logGroupName: at.logGroupName });
    await asRoot(test.cloud, 'logs', 'CreateLogStream', at);
    await asRoot(test.cloud, 'logs', 'PutLogEvents', {
      ...at,
      logEvents: [{ timestamp: test.cloud.clock.now(), message: `key ${secret}` }],
    });
    expect(await spottedIn(secret)).toEqual([{ where: 'log somewhere stream', what: 'a planted secret' }]);
  });

  it('finds what is published, also when Cordon itself publishes it', async () => {
    const secret = newSecret();
    await asRoot(test.cloud, 'events', 'PutEvents', {
      Entries: [
        { EventBusName: test.cloud.outputs['EventBusName'], Source: 'cordon', DetailType: 'Told', Detail: JSON.stringify({ secret }) },
      ],
    });
    expect(await spottedIn(secret)).toEqual([
      { where: expect.stringContaining(test.cloud.outputs['EventLogGroup'] ?? 'no group'), what: 'a planted secret' },
    ]);
  });

  it('finds what lies in a queue, as text or encoded', async () => {
    const [plain, encoded] = [newSecret(), newSecret()];
    const QueueUrl = test.cloud.queues['tenants']?.dlqUrl;
    await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl, MessageBody: `"${plain}" and ${encodeURIComponent(encoded)}` });
    const traces = await tracesOf(test);
    const found = sightings(traces, [
      { kind: 'plain', secret: plain },
      { kind: 'encoded', secret: encoded },
    ]);
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining([expect.objectContaining({ what: 'plain' }), expect.objectContaining({ what: 'encoded' })]),
    );
  });

  it.each(['RegistryTable', 'AttributionTable'])('finds what lies in the %s, deep in an item', async (table) => {
    const secret = newSecret();
    const Item = { pk: { S: 'TENANT#somebody#' }, sk: { S: table }, note: { M: { deep: { L: [{ S: secret }] } } } };
    await asRoot(test.cloud, 'dynamodb', 'PutItem', { TableName: test.cloud.outputs[table], Item });
    expect(await spottedIn(secret)).toEqual([{ where: expect.stringContaining(`TENANT#somebody# ${table}`), what: 'a planted secret' }]);
  });

  it('finds what lies in a file next to the template', async () => {
    const secret = newSecret();
    mkdirSync('cdk.out', { recursive: true });
    const path = `cdk.out/planted-${randomBytes(4).toString('hex')}.json`;
    writeFileSync(path, JSON.stringify({ secret }));
    try {
      expect(await spottedIn(secret)).toEqual([{ where: `file ${path}`, what: 'a planted secret' }]);
    } finally {
      rmSync(path);
    }
  });

  it.each([0, 1, 2, 3])('finds a secret that was encoded in Base64 after %i other bytes', (before) => {
    const secret = newSecret();
    const surrounded = `${'x'.repeat(before)}${secret}, and more`;
    const canary = [{ kind: 'a secret', secret }];
    for (const encoding of ['base64', 'base64url'] as const)
      expect(sightings([{ where: 'here', text: Buffer.from(surrounded).toString(encoding) }], canary), encoding).toHaveLength(1);
  });

  it('finds the half of a secret, and nothing where there is none', () => {
    const secret = newSecret();
    const canary = [{ kind: 'a secret', secret }];
    expect(sightings([{ where: 'here', text: `…${secret.slice(-35)}` }], canary)).toHaveLength(1);
    expect(sightings([{ where: 'here', text: `${newSecret()} sk-canary-` }], canary)).toEqual([]);
  });
});
