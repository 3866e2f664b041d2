import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CreatePolicyCommand, CreatePolicyVersionCommand, GetPolicyCommand, ListPolicyVersionsCommand } from '@aws-sdk/client-iam';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCutOffEntries } from '../../functions/revocation/cut-off/cut-off-entries.dynamodb.ts';
import type { CutOffEntries } from '../../functions/revocation/cut-off/cut-off-entries.ts';
import { endOf } from '../../functions/revocation/cut-off/cut-off-entry.ts';
import { revokedPolicy } from '../../functions/revocation/cut-off/revoked-policy.ts';
import { createRevokedPolicyStore } from '../../functions/revocation/cut-off/revoked-policy-store.iam.ts';
import { writeRevoked } from '../../functions/revocation/cut-off/write-revoked.ts';
import { createCutOffs } from '../../functions/revocation/cut-offs.dynamodb.ts';
import type { CutOffs } from '../../functions/revocation/cut-offs.ts';
import { tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import { createMemoryLog, type MemoryLog } from './fakes/memory-log.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const start = Date.parse('2026-11-22T10:00:00.250Z');
const acme = tenantId.parse('acme');
const ann = userId.parse('a'.repeat(26));

describe('X5 cut-offs, from the request to the policy', () => {
  let aws: LocalAws;
  let cutOffs: CutOffs;
  let entries: CutOffEntries;
  let log: MemoryLog;
  let now: number;
  let queueUrl: string;
  let policyArn: string;
  let table: string;

  const write = () =>
    writeRevoked({ clock: () => now, log, entries, policy: createRevokedPolicyStore({ client: aws.admin.iam, policyArn }) });
  const versions = async () => (await aws.admin.iam.send(new ListPolicyVersionsCommand({ PolicyArn: policyArn }))).Versions ?? [];
  const stateOf = (id: string, before = start) => cutOffs.state({ id, before });

  beforeEach(async () => {
    aws = await startLocalAws();
    now = start;
    log = createMemoryLog();
    const { QueueUrl = '' } = await aws.admin.sqs.send(new CreateQueueCommand({ QueueName: 'cut-off' }));
    queueUrl = QueueUrl;
    table = await aws.makeTable();
    const PolicyDocument = JSON.stringify(revokedPolicy([], now).document);
    const made = await aws.admin.iam.send(new CreatePolicyCommand({ PolicyName: 'Revoked', Path: '/cordon/', PolicyDocument }));
    policyArn = made.Policy?.Arn ?? '';
    cutOffs = createCutOffs({ client: aws.admin.dynamodb, table, sqs: aws.admin.sqs, queueUrl, clock: () => now, log });
    entries = createCutOffEntries({ client: aws.admin.dynamodb, table });
  });
  afterEach(() => aws.close());

  it('keeps what is asked for before it calls the writer, and knows no state of what nobody asked for', async () => {
    expect(await stateOf('rev-1')).toBeUndefined();
    await cutOffs.request({ id: 'rev-1', tenantId: acme, userId: ann, before: start });
    expect(await stateOf('rev-1')).toEqual({});
    expect(await entries.live(now)).toEqual([{ id: 'rev-1', tenantId: acme, userId: ann, before: start, requestedAt: now }]);
    const { Messages = [] } = await aws.admin.sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    expect(
      Messages.map(({ Body }) => Body),
      'it says nothing of anybody',
    ).toEqual(['write']);
  });

  it('takes a repeated request for the same, also after it was applied', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    await write();
    const applied = await stateOf('rev-1');
    now += 5000;
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    expect(await stateOf('rev-1')).toEqual(applied);
    expect(await entries.live(now)).toHaveLength(1);
  });

  it('is not held up by a writer that cannot be called', async () => {
    const deaf = createCutOffs({
      client: aws.admin.dynamodb,
      table,
      sqs: aws.admin.sqs,
      queueUrl: queueUrl.replace('cut-off', 'no-such-queue'),
      clock: () => now,
      log,
    });
    await deaf.request({ id: 'rev-1', tenantId: acme, before: start });
    expect(log.lines.map(({ level, message }) => ({ level, message }))).toContainEqual({
      level: 'error',
      message: 'the writer of the cut-off could not be called',
    });
    await write();
    expect(await stateOf('rev-1')).toMatchObject({ appliedAt: now });
  });

  it('says since when IAM has it, and in which version', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    now += 700;
    await write();
    expect(await stateOf('rev-1')).toEqual({ appliedAt: start + 700, policyVersionId: 'v2' });
    const { Policy } = await aws.admin.iam.send(new GetPolicyCommand({ PolicyArn: policyArn }));
    expect(Policy?.DefaultVersionId).toBe('v2');
  });

  it('writes no version when there is nothing new, and none for nothing at all', async () => {
    await write();
    expect(await versions()).toHaveLength(1);
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    for (let run = 0; run < 3; run += 1) await write();
    expect((await versions()).map(({ VersionId }) => VersionId)).toEqual(['v1', 'v2']);
  });

  it('goes on beyond the five versions that IAM keeps, and lets the oldest go', async () => {
    for (let n = 1; n <= 12; n += 1) {
      await cutOffs.request({ id: `rev-${n}`, tenantId: tenantId.parse(`t-${n}`), before: start });
      await write();
    }
    const kept = await versions();
    expect(kept.map(({ VersionId }) => VersionId).sort()).toEqual(['v10', 'v11', 'v12', 'v13', 'v9']);
    expect(kept.find(({ IsDefaultVersion }) => IsDefaultVersion)?.VersionId).toBe('v13');
  });

  it('sets right what somebody else has written over it', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    await write();
    const PolicyDocument = JSON.stringify(revokedPolicy([], now).document);
    await aws.admin.iam.send(new CreatePolicyVersionCommand({ PolicyArn: policyArn, PolicyDocument, SetAsDefault: true }));
    await write();
    const { Policy } = await aws.admin.iam.send(new GetPolicyCommand({ PolicyArn: policyArn }));
    expect(Policy?.DefaultVersionId).toBe('v4');
  });

  it('leaves the policy when its sessions have ended, whether or not the table has forgotten it', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    await write();
    now = endOf({ before: start });
    expect(await entries.live(now)).toEqual([]);
    await write();
    expect((await versions()).find(({ IsDefaultVersion }) => IsDefaultVersion)?.VersionId).toBe('v3');
    expect(await stateOf('rev-1'), 'what became of it is known still').toMatchObject({ policyVersionId: 'v2' });
  });

  it('makes no half entry of one that the table has forgotten meanwhile', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    const [entry] = await entries.live(now);
    if (entry === undefined) throw new Error('there is no entry');
    const { Items = [] } = await aws.admin.dynamodb.send(new ScanCommand({ TableName: table }));
    for (const { pk, sk } of Items)
      if (pk && sk) await aws.admin.dynamodb.send(new DeleteItemCommand({ TableName: table, Key: { pk, sk } }));
    await entries.applied(entry, { appliedAt: now, policyVersionId: 'v2' });
    expect(await entries.live(now)).toEqual([]);
  });

  it('says how many wait for room, lets them in as there is some, and takes back what it said of one that had to make way', async () => {
    const many = Array.from({ length: 200 }, (_, n) => tenantId.parse(`a-tenant-with-a-long-name-${n}`.slice(0, 32)));
    for (const [n, one] of many.entries()) await cutOffs.request({ id: `rev-${n}`, tenantId: one, before: start - 1000 * n });
    const oldest = { id: 'rev-199', before: start - 199_000 };
    await write();
    expect(await cutOffs.state(oldest)).toEqual({});
    const said = log.lines.find(({ message }) => message === 'sessions are not cut off yet');
    expect(said?.fields).toMatchObject({ late: 0, live: 200 });
    expect(said?.fields['waiting']).toBeGreaterThan(0);
    now = endOf({ before: start - 150_000 });
    await write();
    expect(await entries.live(now), 'the oldest have ended').toHaveLength(150);
    for (const { appliedAt } of await entries.live(now)) expect(appliedAt).toBeDefined();
  });

  it('says how many were asked for two minutes ago and are not in the policy', async () => {
    await cutOffs.request({ id: 'rev-1', tenantId: acme, before: start });
    now += 120_001;
    const broken = { put: () => Promise.reject(new Error('IAM is down')) };
    await expect(writeRevoked({ clock: () => now, log, entries, policy: broken })).rejects.toThrow('IAM is down');
    expect(log.lines.map(({ fields }) => fields)).toContainEqual({ late: 1, waiting: 0, live: 1 });
    expect(await stateOf('rev-1')).toEqual({});
  });
});
