import { beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../local/core/faults.ts';
import type { JournalEntry } from '../../local/core/journal.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { awsPoints, type FaultPoint, providerPoints } from '../support/fault-points.ts';
import { asRoot } from '../support/ground-truth.ts';
import { endsOf, fingerprintIn, isLive, issuedAt, type Kept, newsOf, rotatingTenant, stateOf, wellRotated } from '../support/rotations.ts';
import { pause } from '../support/settle.ts';
import { messagesIn } from '../support/worker-queue.ts';

/** The same as in `integration/rotation-crash-points.test.ts`, one of each sort, with everything as it is deployed: rules, queues, sweep, the bundled function in its worker thread. */

let test: TestCloud;
let clean: readonly FaultPoint[];
const credentials: Kept[] = [];
const provider = 'openai';

async function take(): Promise<Kept> {
  if (credentials.length === 0) {
    const wanted = Array.from({ length: 25 }, (_, n) => issuedAt(provider, { credentialId: `main-${n}`, environment: `env-${n}` }));
    const tenantId = await rotatingTenant(test, wanted, { routing: [] });
    credentials.push(...wanted.map(({ credentialId }) => ({ tenantId, credentialId, provider })));
  }
  const kept = credentials.pop();
  if (kept === undefined) throw new Error('No credential was made.');
  return kept;
}

const forgottenMs = 901_000;

/** Asks for the rotation and lets time pass until it is over. Rejects when it is not after a day. */
async function rotate(kept: Kept): Promise<void> {
  const { cloud } = test;
  const { secretVersionId: before } = await stateOf(test, kept);
  const until = cloud.clock.now() + 86_400_000;
  const detail = { version: 1, tenantId: kept.tenantId, credentialId: kept.credentialId, requestedBy: 'test', why: 'to see it done' };
  await test.putEvents({ detailType: 'RotationRequested', detail });
  for (;;) {
    await pause(cloud);
    const found = await stateOf(test, kept);
    const isOver = found.secretVersionId !== before && found.rotating === undefined && found.leaseUntil === 0;
    if (isOver && (await messagesIn(cloud, cloud.queues['rotation']?.url)) === 0) return;
    if (cloud.clock.now() > until) throw new Error(`After a day it is ${JSON.stringify(found)}.`);
    cloud.clock.advance(121_000);
  }
}

/** What the function itself, its sessions and its queue have called since, and what it has asked of the provider. */
async function pointsSince(seq: number, requests: number, { tenantId }: Kept): Promise<readonly FaultPoint[]> {
  const { cloud } = test;
  const { rotation } = await cloud.functionCredentials();
  const own = rotation && cloud.kernel.callerOf(rotation.accessKeyId)?.principal.arn;
  const isOwn = ({ principal, tags, service }: JournalEntry): boolean =>
    service !== 'logs' && (principal === own || (tags['TenantId'] === tenantId && principal.includes('/TenantRotator/')));
  return [
    ...awsPoints(cloud.journal.since(seq), isOwn),
    ...providerPoints({ name: provider, basePath: cloud.openai.basePath }, cloud.openai.requests().slice(requests)),
  ];
}

beforeAll(async () => {
  test = await testCloud();
  const kept = await take();
  test.cloud.clock.advance(forgottenMs);
  const [seq, requests] = [test.cloud.journal.lastSeq, test.cloud.openai.requests().length];
  await rotate(kept);
  clean = await pointsSince(seq, requests, kept);
});

/** As often as the SDK asks, and once more. */
const always: readonly Fault['mode'][] = ['before', 'before', 'before', 'before'];
const key = 'POST /organization/projects/{id}/service_accounts/{id}/api_keys';
const sorts: readonly {
  readonly what: string;
  readonly point: string;
  readonly modes: readonly Fault['mode'][];
  readonly more?: Partial<Fault>;
}[] = [
  { what: 'the lease cannot be written', point: 'dynamodb UpdateItem', modes: always },
  { what: 'the answer to taking the lease is lost', point: 'dynamodb UpdateItem', modes: ['after'] },
  { what: 'the worker dies of taking the lease', point: 'dynamodb UpdateItem', modes: ['crash'] },
  { what: 'an intent is recorded and the worker dies', point: 'dynamodb ExecuteStatement', modes: ['crash'] },
  { what: 'the record cannot be written', point: 'dynamodb ExecuteStatement', modes: always },
  { what: 'no session is to be had', point: 'sts AssumeRole', modes: always },
  { what: 'the provider fails', point: `openai ${key}`, modes: ['before'], more: { status: 500 } },
  { what: 'the provider has enough of it', point: `openai ${key}`, modes: ['before'], more: { status: 429 } },
  { what: 'the key is made and the answer lost', point: `openai ${key}`, modes: ['after'] },
  { what: 'the key is made twice', point: `openai ${key}`, modes: ['duplicate'] },
  { what: 'the provider answers later than anybody waits', point: `openai ${key}`, modes: ['delay'], more: { delayMs: 11_000 } },
  {
    what: 'the old key is revoked and the answer lost',
    point: 'openai DELETE /organization/projects/{id}/api_keys/{id}',
    modes: ['after'],
  },
  { what: 'the next version cannot be encrypted', point: 'kms GenerateDataKey', modes: always },
  { what: 'a version cannot be decrypted', point: 'kms Decrypt', modes: always },
  { what: 'the next version is staged and the worker dies', point: 'secretsmanager PutSecretValue', modes: ['crash'] },
  { what: 'the label is moved and the worker dies', point: 'secretsmanager UpdateSecretVersionStage', modes: ['crash'] },
  {
    what: 'the label is moved and the answer lost for good',
    point: 'secretsmanager UpdateSecretVersionStage',
    modes: ['after', ...always.slice(1)],
  },
  { what: 'news is told twice', point: 'events PutEvents', modes: ['duplicate'] },
  { what: 'news cannot be told', point: 'events PutEvents', modes: always },
  { what: 'news is told and the worker dies', point: 'events PutEvents', modes: ['crash'] },
  { what: 'a message is delivered twice', point: 'sqs ReceiveMessage', modes: ['duplicate'] },
  { what: 'a message is done with and cannot be deleted', point: 'sqs DeleteMessageBatch', modes: ['before'] },
];

describe('R7 a rotation by the deployed worker', () => {
  it('is made of calls of each of these sorts', () => {
    const names = new Set(clean.map(({ service, action }) => `${service} ${action}`));
    for (const { point } of sorts) expect(names).toContain(point);
  });

  it.each(sorts)('ends with one live key, the old one dead and nothing left over when $what', async ({ point, modes, more }) => {
    const kept = await take();
    const { cloud } = test;
    const [service = '', ...action] = point.split(' ');
    const [before, old] = [await fingerprintIn(test, kept), (await stateOf(test, kept)).secretVersionId];
    cloud.clock.advance(forgottenMs);
    await pause(cloud);
    modes.forEach((mode, index) => {
      cloud.faults.add({ service, action: action.join(' '), nth: index + 1, mode, ...more });
    });
    // The event itself is put on the bus by the platform.
    if (point === 'events PutEvents') {
      cloud.faults.clear();
      modes.forEach((mode, index) => {
        cloud.faults.add({ service, action: 'PutEvents', nth: index + 2, mode });
      });
    }
    await rotate(kept);
    const struck = cloud.faults.list().length < modes.length;
    cloud.faults.clear();
    expect(struck, 'the fault struck').toBe(true);
    expect(await endsOf(test, kept)).toEqual(wellRotated(provider));
    expect(isLive(test, provider, before)).toBe(false);
    const news = await newsOf(test, kept);
    expect(new Set(news.map(({ detailType }) => detailType))).toEqual(new Set(['CredentialRotated', 'CredentialRetired']));
    expect(news.find(({ detailType }) => detailType === 'CredentialRetired')).toMatchObject({ versionId: old });
    expect(await messagesIn(cloud, cloud.queues['rotation']?.dlqUrl)).toBe(0);
  });

  it('is one rotation when three sweeps find it at once', async () => {
    const { cloud } = test;
    const due = await Promise.all(Array.from({ length: 6 }, take));
    const olds = await Promise.all(due.map((kept) => fingerprintIn(test, kept)));
    for (const kept of due) {
      await asRoot(cloud, 'dynamodb', 'UpdateItem', {
        TableName: cloud.outputs['RegistryTable'],
        Key: { pk: { S: `TENANT#${kept.tenantId}#` }, sk: { S: `CREDENTIAL#${kept.credentialId}` } },
        UpdateExpression: 'SET dueAt = :now',
        ExpressionAttributeValues: { ':now': { N: String(cloud.clock.now()) } },
      });
    }
    const begun = await Promise.all([cloud.invoke('sweep', {}), cloud.invoke('sweep', {}), cloud.invoke('sweep', {})]);
    expect(begun).toHaveLength(3);
    await pause(cloud);
    for (let minutes = 0; minutes < 40; minutes += 2) {
      cloud.clock.advance(120_000);
      await pause(cloud);
    }
    for (const [index, kept] of due.entries()) {
      expect(await endsOf(test, kept)).toEqual(wellRotated(provider));
      expect(isLive(test, provider, olds[index] ?? '')).toBe(false);
      expect((await newsOf(test, kept, 'CredentialRotated')).map(({ versionId }) => versionId)).toEqual([
        (await stateOf(test, kept)).secretVersionId,
      ]);
    }
    expect(await messagesIn(cloud, cloud.queues['rotation']?.dlqUrl)).toBe(0);
  });
});
