import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canariesOf, sightings } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { changeTrust, trustOf } from '../support/customer-account.ts';
import { connect, sweep } from '../support/customers.ts';
import { asRoot } from '../support/ground-truth.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { issuedAt, rotatingTenant } from '../support/rotations.ts';
import { pause } from '../support/settle.ts';
import { registryItem } from '../support/supply.ts';

let test: TestCloud;
let operator: OperatorCommand;
let begun = 0;

beforeAll(async () => {
  test = await testCloud();
  operator = await operatorCommand(test);
  begun = test.cloud.journal.lastSeq;
});

afterAll(() => {
  // Whatever was shown in this file: no key, no token, no secret of a session.
  expect(sightings([{ where: 'what the command printed', text: operator.printed() }], canariesOf(test))).toEqual([]);
});

const credential = 'id=openai-main,provider=openai,source=platform-issued,environment=production';
const flags = (tenantId: string): readonly string[] => ['tenants', 'onboard', tenantId, '--name', 'Acme Ltd', '--credential', credential];

/** What the operator's own key asked for since, and what came of it. */
function decisionsSince(seq: number) {
  return test.cloud.journal.since(seq).filter(({ principal }) => principal.endsWith(':user/operator'));
}

describe('P3 tenants from the command line', () => {
  it('onboards by flags, shows the way, and ends with what the tenant is', async () => {
    const tenantId = test.freshTenantId();
    const { exitCode, err, json } = await operator.cordon([
      ...flags(tenantId),
      '--route',
      'provider=openai,environment=production,use=openai-main',
      '--json',
    ]);
    expect(exitCode, err).toBe(0);
    expect(err).toContain(`${tenantId} is active, openai-main active`);
    expect(json()).toMatchObject({
      ...{ tenantId, displayName: 'Acme Ltd', tier: 'pool', status: 'active' },
      credentials: [{ credentialId: 'openai-main', provider: 'openai', status: 'active', versions: [{ state: 'current' }] }],
    });
    const shown = await operator.cordon(['tenants', 'show', tenantId, '--json']);
    expect(shown.json()).toMatchObject({
      tenantId,
      requestedBy: 'user/operator',
      routing: [{ use: 'openai-main' }],
      counts: { credentials: 1, users: 0 },
    });
    const listed = await operator.cordon(['tenants', 'list']);
    expect(listed.out).toMatch(new RegExp(`^${tenantId} +Acme Ltd +pool +active`, 'm'));
  });

  it('onboards from a file in the name that it says, and a second time does nothing', async () => {
    const tenantId = test.freshTenantId();
    writeFileSync(
      join(operator.directory, 'tenant.json'),
      JSON.stringify({ tenantId, displayName: 'File', tier: 'pool', requestedBy: 'ana', credentials: [] }),
    );
    const line = ['tenants', 'onboard', '--file', 'tenant.json'];
    expect(await operator.cordon(line)).toMatchObject({ exitCode: 0, out: expect.stringContaining(tenantId) });
    const seq = test.cloud.journal.lastSeq;
    expect(await operator.cordon(line)).toMatchObject({ exitCode: 0, err: expect.stringContaining('nothing was sent') });
    expect(decisionsSince(seq).map(({ action }) => action)).not.toContain('events:PutEvents');
    expect((await operator.cordon(['tenants', 'show', tenantId])).out).toMatch(/asked for by +ana/);
  });

  it('ends with 1 and the reason when the worker refuses it, and when it contradicts what there is', async () => {
    const tenantId = test.freshTenantId();
    const refused = await operator.cordon([
      ...flags(tenantId),
      '--credential',
      `id=own,provider=openai,source=platform-issued,environment=production,user=${'a'.repeat(26)}`,
    ]);
    expect(refused).toMatchObject({
      exitCode: 1,
      out: '',
      err: expect.stringMatching(/USER_UNKNOWN: .*own is for a user who does not exist.*cordon dlq list/),
    });
    await test.deadLetter(tenantId);
    const known = await test.onboard();
    const other = await operator.cordon(['tenants', 'onboard', known.tenantId, '--name', 'Acme', '--tier', 'dedicated', '--json']);
    expect(other.json()).toMatchObject({ error: { code: 'EVENT_CONTRADICTS' } });
    expect(other).toMatchObject({ exitCode: 1, err: expect.stringContaining('Nothing was sent') });
  });

  it('ends with 4 when the time is over first, and the work goes on', async () => {
    const tenantId = test.freshTenantId();
    const late = await operator.cordon([...flags(tenantId), '--timeout', '0', '--json']);
    expect(late).toMatchObject({ exitCode: 4, err: expect.stringContaining('it goes on') });
    expect(late.json()).toMatchObject({ tenantId, status: 'sent', eventId: expect.any(String) });
    await test.outcome(['TenantProvisioned'], tenantId);
  });

  it('sends and ends at once with --no-wait', async () => {
    const tenantId = test.freshTenantId();
    const { exitCode, json } = await operator.cordon([...flags(tenantId), '--no-wait', '--json']);
    expect([exitCode, json()]).toEqual([0, { tenantId, status: 'sent', eventId: expect.any(String) }]);
    await test.outcome(['TenantProvisioned'], tenantId);
  });

  it('says which tenant, user or credential is not there', async () => {
    const { tenantId } = await test.onboard({ credentials: [] });
    for (const [line, code] of [
      [['tenants', 'show', 'nobody-here'], 'TENANT_UNKNOWN'],
      [['users', 'show', tenantId, 'a'.repeat(26)], 'USER_UNKNOWN'],
      [['credentials', 'rotate', tenantId, 'openai-main', '--reason', 'x'], 'CREDENTIAL_UNKNOWN'],
      [['connections', 'verify', tenantId, '444455556666'], 'CONNECTION_UNKNOWN'],
      [['revocations', 'show', tenantId, 'none'], 'REVOCATION_UNKNOWN'],
    ] as const) {
      const { exitCode, json } = await operator.cordon([...line, '--json']);
      expect([exitCode, json()]).toEqual([1, { error: { code, message: expect.any(String) } }]);
    }
  });
});

describe('P3 users and credentials from the command line', () => {
  it('lists users, and finds one by issuer and subject', async () => {
    const { tenantId } = await test.onboard({ credentials: [] });
    const { issuer } = test.cloud.oidc;
    await test.putEvents({ detailType: 'UserOnboarded', detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' } });
    await test.outcome(['UserProvisioned'], tenantId);
    const { out } = await operator.cordon(['users', 'list', tenantId]);
    const [, userId = ''] = /^([a-z2-7]{26}) +ana /m.exec(out) ?? [];
    for (const named of [[userId], ['--issuer', issuer, '--subject', 'ana']]) {
      const { json } = await operator.cordon(['users', 'show', tenantId, ...named, '--json']);
      expect(json()).toMatchObject({ userId, subject: 'ana', status: 'active', credentials: [] });
    }
  });

  it('rotates, says when the next key is in force, and rolls back while the old one is kept', async () => {
    const tenantId = await rotatingTenant(test, [issuedAt('openai')]);
    const which = [tenantId, 'openai-main'];
    const versions = async () => (await operator.cordon(['credentials', 'show', ...which, '--json'])).json()['versions'];
    const [before] = [await versions()];
    const rotated = await operator.cordon(['credentials', 'rotate', ...which, '--reason', 'to see it done', '--json']);
    expect(rotated.exitCode, rotated.err).toBe(0);
    expect(rotated.err).toMatch(/version .* is in force; the old key ends when its uses have drained/);
    expect(rotated.json()).toMatchObject({
      rotation: { phase: 'grace', reason: 'requested' },
      versions: [{ state: 'current' }, { state: 'previous' }],
    });
    expect(await versions()).not.toEqual(before);

    const back = await operator.cordon(['credentials', 'rollback', ...which, '--reason', 'the new one is slow', '--json']);
    expect(back.exitCode, back.err).toBe(0);
    expect(back.json()).toMatchObject({ versions: expect.arrayContaining(Array.isArray(before) ? before : []) });
    const listed = await operator.cordon(['credentials', 'list', tenantId]);
    expect(listed.out).toMatch(/^openai-main +openai +platform-issued +production +- +active +grace since /m);
  });

  it('ends with 1 and the reason when there is nothing to roll back to', async () => {
    const tenantId = await rotatingTenant(test, [issuedAt('openai')]);
    const { exitCode, err } = await operator.cordon(['credentials', 'rollback', tenantId, 'openai-main', '--reason', 'x']);
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/EVENT_CONTRADICTS: .*no earlier version that is kept/)]);
  });
});

describe('P3 E5 attribution from the command line', () => {
  it('answers who used what, as the tenant’s auditor, and by whatever is asked for', async () => {
    const { tenantId } = await test.onboard();
    const seq = test.cloud.journal.lastSeq;
    const all = await operator.cordon(['attribution', 'query', tenantId, '--json']);
    expect(all.exitCode, all.err).toBe(0);
    expect(all.json()).toMatchObject({
      more: false,
      entries: expect.arrayContaining([expect.objectContaining({ operation: 'provider.create-key', outcome: 'succeeded' })]),
    });
    const readers = test.cloud.journal
      .since(seq)
      .filter(({ action, resource }) => action === 'dynamodb:Query' && resource.includes(test.cloud.outputs['AttributionTable'] ?? ''));
    expect(new Set(readers.map(({ principal }) => principal))).toEqual(new Set([expect.stringContaining('assumed-role/TenantAuditor/')]));

    const some = await operator.cordon([
      'attribution',
      'query',
      tenantId,
      '--operation',
      'provider.create-key',
      '--credential',
      'openai-main',
      '--provider',
      'openai',
    ]);
    expect(some.out).toMatch(/^\S+Z +provider\.create-key +openai +openai-main .* succeeded$/m);
    expect(some.out).not.toContain('vault.');
    for (const nothing of [
      ['--agent', 'nobody'],
      ['--session', 'none'],
      ['--user', 'a'.repeat(26)],
      ['--to', '2026-01-01'],
      ['--outcome', 'refused'],
    ]) {
      expect(await operator.cordon(['attribution', 'query', tenantId, ...nothing])).toMatchObject({ exitCode: 0, out: 'Nothing.\n' });
    }
    const first = await operator.cordon(['attribution', 'query', tenantId, '--limit', '1', '--json']);
    expect(first.json()).toMatchObject({ more: true, entries: [{}] });
    expect(first.err).toContain('There is more');
  });
});

describe('P3 connections from the command line', () => {
  it('lists them without their external IDs, and probes one anew that has become unsafe', async () => {
    const { tenantId } = await test.onboard({ credentials: [] });
    const { customer, offer } = await connect(test, { tenantId });
    const listed = await operator.cordon(['connections', 'list', tenantId, '--json']);
    expect(listed.json()).toMatchObject({
      connections: [{ customerAccountId: customer.accountId, status: 'active', services: ['bedrock'] }],
    });
    expect(listed.out).not.toContain(offer.externalId);
    // The check that follows the verification is over, the next one is a day away.
    await sweep(test, 6);
    const line = ['connections', 'verify', tenantId, customer.accountId, '--json'];
    expect(await operator.cordon(line)).toMatchObject({ exitCode: 0, err: expect.stringContaining('within the last five minutes') });
    test.cloud.clock.advance(12 * 60_000);
    const seq = test.cloud.journal.lastSeq;
    const sound = await operator.cordon(line, { stepMs: 60_000 });
    expect(sound.exitCode, sound.err).toBe(0);
    expect(sound.json()).toMatchObject({ status: 'active' });
    expect(
      test.cloud.journal.since(seq).some(({ action, principal }) => action === 'sts:AssumeRole' && principal.includes('ByocConnector')),
    ).toBe(true);

    const onlyPrincipal = { ArnEquals: { 'aws:PrincipalArn': test.cloud.outputs['ByocConnectorRoleArn'] ?? '' } };
    await changeTrust(customer, offer.roleName, trustOf(test, offer.externalId, { Condition: onlyPrincipal }));
    test.cloud.clock.advance(12 * 60_000);
    const open = await operator.cordon(line, { stepMs: 60_000 });
    expect(open.json()).toMatchObject({ status: 'suspended', reason: { code: 'EXTERNAL_ID_NOT_REQUIRED' } });
    expect(open.exitCode).toBe(1);
  });
});

describe('P3 dead letters from the command line', () => {
  it('shows what could not be handled and why, leaves it there, and hands it to its worker again', async () => {
    const tenantId = test.freshTenantId();
    const detail = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
    const [eventId] = await test.putEvents({ detailType: 'UserOnboarded', detail: { ...detail, surprise: true } });
    await pause(test.cloud);
    for (let look = 0; look < 2; look += 1) {
      const { exitCode, json } = await operator.cordon(['dlq', 'list', 'tenants', '--json']);
      expect(exitCode).toBe(0);
      expect(json()['letters']).toContainEqual(
        expect.objectContaining({
          ...{ queue: 'tenants', eventId, tenantId, detailType: 'UserOnboarded' },
          reason: { code: 'EVENT_INVALID', message: expect.stringContaining('not known') },
          body: expect.stringContaining('"surprise":true'),
        }),
      );
    }
    expect(await operator.cordon(['dlq', 'redrive', 'tenants'])).toMatchObject({ exitCode: 2, err: expect.stringContaining('--yes') });
    expect(await operator.cordon(['dlq', 'redrive', 'tenants'], { answers: ['no'] })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('Nothing was moved'),
    });
    const { exitCode, json, err } = await operator.cordon(['dlq', 'redrive', 'tenants', '--yes', '--json']);
    expect(exitCode, err).toBe(0);
    expect(json()).toEqual({ redriven: [{ queue: 'tenants', status: 'completed', moved: expect.any(Number) }] });
    // It is as wrong as before and comes back.
    await pause(test.cloud);
    expect((await test.deadLetter(eventId ?? '')).attributes).toMatchObject({ ReasonCode: 'EVENT_INVALID' });
  });

  it('prints no control character of a message, whoever put it there', async () => {
    const body = `not an event \u009b2J ${test.freshTenantId()} \u202e`;
    await test.operator.sqs.send(new SendMessageCommand({ QueueUrl: test.cloud.queues['byoc']?.dlqUrl, MessageBody: body }));
    for (const line of [
      ['dlq', 'list'],
      ['dlq', 'list', '--json'],
    ]) {
      const { out } = await operator.cordon(line);
      expect(out).toContain('not an event');
      expect(out).toContain('byoc');
      expect(/[\u009b\u202e]/.test(out)).toBe(false);
    }
  });

  it('knows each worker by its name', async () => {
    const { exitCode, err } = await operator.cordon(['dlq', 'list', 'nobody']);
    expect([exitCode, err]).toEqual([2, expect.stringMatching(/There is no queue nobody; there are byoc, .*tenants/)]);
  });
});

describe('P3 least privilege', () => {
  it('used the operator’s key throughout, and asked for nothing that the operator may not', () => {
    const decisions = decisionsSince(begun);
    expect(decisions.filter(({ decision }) => decision === 'deny')).toEqual([]);
    expect(new Set(decisions.map(({ action }) => action.split(':')[0]))).toEqual(new Set(['dynamodb', 'events', 'logs', 'sqs', 'sts']));
  });
});

const accountIn = (item: unknown): string =>
  z.object({ accounts: z.object({ openai: z.object({ accountId: z.string() }) }) }).parse(item).accounts.openai.accountId;

describe('I9 P3 what a credential and a user reach, by the registry', () => {
  it('is one tenant, until two are kept in one account at the provider', async () => {
    const [{ tenantId }, other] = [await test.onboard(), await test.onboard()];
    const line = ['blast-radius', '--tenant', tenantId, '--credential', 'openai-main', '--json'];
    const { exitCode, err, json } = await operator.cordon(line);
    expect(exitCode, err).toBe(0);
    const account = accountIn(await registryItem(test, tenantId, 'TENANT'));
    expect(json()).toMatchObject({ kind: 'credential', tenants: 'one', rows: [{ thing: `the tenant’s account at openai (${account})` }] });
    await asRoot(test.cloud, 'dynamodb', 'UpdateItem', {
      TableName: test.cloud.outputs['RegistryTable'],
      Key: { pk: { S: `TENANT#${other.tenantId}#` }, sk: { S: 'TENANT' } },
      UpdateExpression: 'SET accounts.openai.accountId = :account',
      ExpressionAttributeValues: { ':account': { S: account } },
    });
    expect((await operator.cordon(line)).json()).toMatchObject({
      tenants: 'all',
      rows: expect.arrayContaining([expect.objectContaining({ thing: `${other.tenantId}, kept in the same account at openai` })]),
    });
  });

  it('is one tenant for a user and an agent, and asks for the tenant that there is', async () => {
    const { tenantId } = await test.onboard();
    for (const whose of [
      ['--user', 'a'.repeat(26)],
      ['--agent', 'bot'],
    ]) {
      const { exitCode, out } = await operator.cordon(['blast-radius', '--tenant', tenantId, ...whose]);
      expect(exitCode).toBe(0);
      expect(out).toMatch(/^tenants +one$/m);
      expect(out).toMatch(/openai-main \(openai, production\) +broker/);
    }
    expect(await operator.cordon(['blast-radius', '--tenant', 'nobody', '--agent', 'bot'])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('There is no tenant nobody'),
    });
  });
});
