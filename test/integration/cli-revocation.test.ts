import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { chat, openAiTenant, refusalOf } from '../support/broker-calls.ts';
import { canariesOf, sightings } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { leftOf } from '../support/revocations.ts';
import { stateOf } from '../support/rotations.ts';

let test: TestCloud;
let operator: OperatorCommand;
let begun = 0;

beforeAll(async () => {
  test = await testCloud();
  operator = await operatorCommand(test);
  begun = test.cloud.journal.lastSeq;
});
afterEach(() => test.cloud.world.misbehave('openai'));
afterAll(() => {
  expect(sightings([{ where: 'what the command printed', text: operator.printed() }], canariesOf(test))).toEqual([]);
});

const mint = (tenantId: string, names: object = {}): Promise<string> =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1', expiresIn: 86_400, ...names });

/** Time passes while the command waits: half a minute more in each pause. */
const patient = { stepMs: 30_000 };

async function onboardAna(tenantId: string): Promise<string> {
  const { issuer } = test.cloud.oidc;
  await test.putEvents({ detailType: 'UserOnboarded', detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' } });
  await test.outcome(['UserProvisioned'], tenantId);
  return userIdOf(issuer, 'ana');
}

describe('P3 X1 revoking from the command line', () => {
  it('of a credential is followed to its end: the key dead at the provider, and the certificate written and checked', async () => {
    const tenantId = await openAiTenant(test);
    const line = ['revoke', 'credential', tenantId, 'openai-main', '--reason', 'leaked', '--incident', 'inc-7', '--json'];
    const { exitCode, err, json } = await operator.cordon(line, patient);
    expect(exitCode, err).toBe(0);
    expect(err).toMatch(/revoke credential openai-main: in force since/);
    expect(err).toMatch(/1 credential\(s\) ended; 1 of 1 key\(s\) confirmed dead/);
    const view = json();
    expect(view).toMatchObject({
      ...{
        tenantId,
        action: 'revoke',
        scope: 'credential',
        credentialId: 'openai-main',
        status: 'done',
        reason: 'leaked',
        incidentId: 'inc-7',
      },
      ...{ requestedBy: 'user/operator', counts: { credentials: 1, versions: 1, confirmed: 1, unconfirmed: 0 }, unconfirmed: [] },
    });
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual({ keys: 0, secret: false });
    expect((await refusalOf(await chat(test, await mint(tenantId)))).code).toBe('CREDENTIAL_REVOKED');
    const shown = await operator.cordon(['credentials', 'show', tenantId, 'openai-main']);
    expect(shown.out).toMatch(/^status +revoked, ended$/m);
    expect(shown.out).toMatch(/^because +leaked$/m);
    const listed = await operator.cordon(['revocations', 'list', tenantId]);
    expect(listed.out).toMatch(
      new RegExp(`^${String(view['revocationId'])} +revoke +credential openai-main +done .* 1 of 1 +user/operator +inc-7$`, 'm'),
    );

    for (const of of [['--revocation', String(view['revocationId'])], ['--incident', 'inc-7'], ['--tenant']]) {
      const written = await operator.cordon(
        ['certificate', tenantId, 'certificate.json', '--html', 'certificate.html', ...of, '--json'],
        patient,
      );
      expect(written.exitCode, written.err).toBe(0);
      expect(written.json()).toMatchObject({
        tenantId,
        complete: true,
        counts: { credentials: 1, confirmed: 1 },
        file: 'certificate.json',
      });
      expect(readFileSync(join(operator.directory, 'certificate.html'), 'utf8')).toContain('openai-main');
      const checked = await operator.cordon(['verify-certificate', 'certificate.json', '--json']);
      expect(checked.exitCode, checked.err).toBe(0);
      expect(checked.json()).toMatchObject({ ok: true, key: { source: 'file' } });
      expect(checked.err).toContain('the public key in the file itself');
    }
    const file = readFileSync(join(operator.directory, 'certificate.json'), 'utf8');
    writeFileSync(join(operator.directory, 'forged.json'), file.replace('openai-main', 'openai-mine'));
    const forged = await operator.cordon(['verify-certificate', 'forged.json', '--json']);
    expect(forged).toMatchObject({ exitCode: 1, err: expect.stringContaining('was changed') });
    expect(forged.json()).toMatchObject({ ok: false });
    expect(forged.json()['certificate']).toBeUndefined();
  });

  it('of a version has the next one made, and of an agent, a session and a user refuses the next use', async () => {
    const tenantId = await openAiTenant(test);
    const userId = await onboardAna(tenantId);
    const { secretVersionId = '' } = await stateOf(test, { tenantId, credentialId: 'openai-main' });
    const version = await operator.cordon(
      ['revoke', 'version', tenantId, 'openai-main', String(secretVersionId), '--reason', 'seen in a log', '--json'],
      patient,
    );
    expect(version.exitCode, version.err).toBe(0);
    expect(version.json()).toMatchObject({ scope: 'version', status: 'done', versionId: secretVersionId });
    expect(await stateOf(test, { tenantId, credentialId: 'openai-main' })).not.toMatchObject({ secretVersionId });
    for (const [scope, id, code] of [
      ['agent', 'agent-1', 'AGENT_REVOKED'],
      ['session', 'session-1', 'SESSION_REVOKED'],
      ['user', userId, 'USER_NOT_ACTIVE'],
    ] as const) {
      const token = await mint(
        tenantId,
        scope === 'agent'
          ? { sessionId: 'session-2' }
          : scope === 'session'
            ? { agentId: 'agent-2' }
            : { agentId: 'agent-2', sessionId: 'session-2' },
      );
      const { exitCode, err, json } = await operator.cordon(['revoke', scope, tenantId, id, '--reason', 'odd', '--json'], patient);
      expect(exitCode, err).toBe(0);
      expect(json()).toMatchObject({ scope, status: 'done' });
      expect([code, 'TOKEN_REFUSED']).toContain((await refusalOf(await chat(test, token))).code);
    }
  });

  it('ends with 3 when a provider confirms nothing, says what is open, and with 0 once a person has confirmed it', async () => {
    const tenantId = await openAiTenant(test);
    test.cloud.world.misbehave('openai', { adminPerMinute: 0 });
    const revoked = await operator.cordon(['revoke', 'tenant', tenantId, '--reason', 'breach', '--yes'], { stepMs: 60_000 });
    expect(revoked.exitCode, revoked.err).toBe(3);
    expect(revoked.out).toMatch(/^NOT CONFIRMED: /);
    expect(revoked.out).toMatch(/^openai-main +openai +\S+Z/m);
    const [, id = ''] = /^revocation +(\S+)$/m.exec(revoked.out) ?? [];
    expect((await operator.cordon(['revocations', 'show', tenantId, id])).exitCode).toBe(3);
    const open = await operator.cordon(['revocations', 'list', tenantId, '--unconfirmed', '--json']);
    expect(open.json()).toMatchObject({ revocations: [{ revocationId: id, unconfirmed: [{ credentialId: 'openai-main' }] }] });
    const incomplete = await operator.cordon(['certificate', tenantId, 'incomplete.json', '--revocation', id]);
    expect(incomplete.exitCode, incomplete.err).toBe(3);
    expect(incomplete.out).toMatch(/^complete +NO/m);

    const confirmed = await operator.cordon(
      ['revocations', 'confirm', tenantId, 'openai-main', '--reason', 'deleted in the console', '--json'],
      patient,
    );
    expect(confirmed.exitCode, confirmed.err).toBe(0);
    expect(confirmed.json()).toMatchObject({ ending: { versions: [{ confirmation: 'attested', attestedBy: 'user/operator' }] } });
    for (let looks = 0; looks < 10; looks += 1) {
      const { exitCode } = await operator.cordon(['revocations', 'show', tenantId, id]);
      if (exitCode === 0) break;
      expect(exitCode).toBe(3);
      test.cloud.clock.advance(60_000);
      await test.settled();
    }
    expect((await operator.cordon(['revocations', 'show', tenantId, id, '--json'])).json()).toMatchObject({
      status: 'done',
      unconfirmed: [],
    });
  });

  it('ends with 4 when the time is over first: what is in force stays so', async () => {
    const tenantId = await openAiTenant(test);
    test.cloud.world.misbehave('openai', { adminPerMinute: 0 });
    const { exitCode, err, json } = await operator.cordon([
      'revoke',
      'credential',
      tenantId,
      'openai-main',
      '--reason',
      'leak',
      '--timeout',
      '1',
      '--json',
    ]);
    expect(exitCode, err).toBe(4);
    expect(err).toContain(`cordon revocations show ${tenantId}`);
    expect(json()).toMatchObject({ tenantId });
    await test.outcome(['AccessChanged'], tenantId);
    expect((await refusalOf(await chat(test, await mint(tenantId)))).code).toBe('CREDENTIAL_REVOKED');
  });

  it('sends nothing for what does not exist, unless that is meant', async () => {
    const tenantId = await openAiTenant(test);
    const nobody = 'a'.repeat(26);
    for (const [line, code] of [
      [['tenants', 'suspend', 'nobody-here'], 'TENANT_UNKNOWN'],
      [['tenants', 'offboard', 'nobody-here', '--yes'], 'TENANT_UNKNOWN'],
      [['users', 'offboard', tenantId, nobody, '--yes'], 'USER_UNKNOWN'],
      [['revoke', 'agent', 'nobody-here', 'agent-1'], 'TENANT_UNKNOWN'],
      [['revoke', 'user', tenantId, nobody], 'USER_UNKNOWN'],
      [['revoke', 'credential', tenantId, 'openai-mian'], 'CREDENTIAL_UNKNOWN'],
      [['credentials', 'revoke', tenantId, 'openai-main', '--version', 'a'.repeat(36)], 'VERSION_UNKNOWN'],
    ] as const) {
      const seq = test.cloud.journal.lastSeq;
      const { exitCode, json } = await operator.cordon([...line, '--reason', 'typed wrong', '--json']);
      expect([exitCode, json()]).toEqual([1, { error: { code, message: expect.stringContaining('Nothing was sent') } }]);
      expect(test.cloud.journal.since(seq).map(({ action }) => action)).not.toContain('events:PutEvents');
    }
    const meant = await operator.cordon(
      ['revoke', 'credential', tenantId, 'later', '--reason', 'never', '--in-advance', '--json'],
      patient,
    );
    expect(meant.exitCode, meant.err).toBe(0);
    expect(meant.json()).toMatchObject({ credentialId: 'later', status: 'done', counts: { credentials: 0 } });
  });
});

describe('P3 U5 X6 suspending, reinstating and offboarding from the command line', () => {
  it('suspends a tenant and reinstates it, with nothing ended', async () => {
    const tenantId = await openAiTenant(test);
    const suspended = await operator.cordon(['tenants', 'suspend', tenantId, '--reason', 'unpaid', '--json'], patient);
    expect(suspended.exitCode, suspended.err).toBe(0);
    expect(suspended.json()).toMatchObject({ action: 'suspend', scope: 'tenant', status: 'done' });
    expect((await chat(test, await mint(tenantId))).status).toBe(401);
    test.cloud.clock.advance(2000);
    const reinstated = await operator.cordon(['tenants', 'reinstate', tenantId, '--reason', 'paid', '--json'], patient);
    expect(reinstated.exitCode, reinstated.err).toBe(0);
    expect(reinstated.json()).toMatchObject({ action: 'reinstate', status: 'done' });
    expect((await chat(test, await mint(tenantId))).status).toBe(200);
  });

  it('offboards a user by issuer and subject, and then the tenant, after which nothing brings it back', async () => {
    const tenantId = await openAiTenant(test);
    const userId = await onboardAna(tenantId);
    const user = await operator.cordon(
      ['users', 'offboard', tenantId, '--issuer', test.cloud.oidc.issuer, '--subject', 'ana', '--reason', 'left', '--yes', '--json'],
      patient,
    );
    expect(user.exitCode, user.err).toBe(0);
    expect(user.json()).toMatchObject({ action: 'offboard', scope: 'user', userId, status: 'done' });
    const tenant = await operator.cordon(['tenants', 'offboard', tenantId, '--reason', 'contract ended', '--json'], {
      answers: [tenantId],
      ...patient,
    });
    expect(tenant.exitCode, tenant.err).toBe(0);
    expect(tenant.json()).toMatchObject({
      action: 'offboard',
      scope: 'tenant',
      status: 'done',
      counts: { credentials: 1, confirmed: 1 },
      certificateId: expect.any(String),
    });
    expect((await operator.cordon(['tenants', 'show', tenantId])).out).toMatch(/^status +offboarded$/m);
    for (const [line, code] of [
      [['tenants', 'reinstate', tenantId, '--reason', 'again'], 'TENANT_OFFBOARDED'],
      [['tenants', 'onboard', tenantId, '--name', 'Again'], 'TENANT_OFFBOARDED'],
    ] as const) {
      const { exitCode, json } = await operator.cordon([...line, '--json'], patient);
      expect([exitCode, json()]).toEqual([1, { error: { code, message: expect.any(String) } }]);
    }
  });
});

describe('P3 least privilege', () => {
  it('needed nothing that the operator may not', () => {
    const own = test.cloud.journal.since(begun).filter(({ principal }) => principal.endsWith(':user/operator'));
    expect(own.filter(({ decision }) => decision === 'deny')).toEqual([]);
    expect(own.length).toBeGreaterThan(0);
  });
});
