import { CreateGrantCommand, GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, PutResourcePolicyCommand, UntagResourceCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { AwsClients } from '../../local/aws-clients.ts';
import { chat, endedUses, openAiMain, openAiTenant, refusalOf, toOpenAiMain } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { askBedrock } from '../support/customer-calls.ts';
import { connect, tokenOf } from '../support/customers.ts';
import { plant } from '../support/ground-truth.ts';
import { administratorOf, assumeRole, credentialsOf } from '../support/neighbours.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { apply, ended } from '../support/revocations.ts';
import { requestRotation, stateOf } from '../support/rotations.ts';
import { pause } from '../support/settle.ts';
import { supplyKey } from '../support/supply.ts';
import { foundByWatch, foundOf, startTrail } from '../support/trail.ts';

let test: TestCloud;
let operator: OperatorCommand;
beforeAll(async () => {
  test = await testCloud({ daily: true });
  operator = await operatorCommand(test);
  await startTrail(test);
});

const supplied = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
const credentials = [openAiMain, supplied];
const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
const tagged = (TenantId: string) => [{ Key: 'TenantId', Value: TenantId }];
const secretOf = (tenantId: string): string => `cordon/${tenantId}/openai-main`;
const read =
  (SecretId: string) =>
  ({ secretsmanager }: AwsClients) =>
    secretsmanager.send(new GetSecretValueCommand({ SecretId }));

/** Everything that becomes of a tenant: onboarded, used, rotated, given a key and a user, revoked and offboarded. */
async function live(tenantId: string, tier: 'dedicated' | 'pool'): Promise<void> {
  const subject = 'ana';
  const ana = userIdOf(test.cloud.oidc.issuer, subject);
  const anasOwn = { ...openAiMain, credentialId: 'ana-own', useCase: 'ana', userId: ana };
  await test.onboard({ tenantId, tier, credentials, routing: [toOpenAiMain] });
  await test.putEvents({
    detailType: 'UserOnboarded',
    detail: { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject, requestedBy: 'test' },
  });
  await test.outcome(['UserProvisioned'], tenantId);
  await test.putEvents({
    detailType: 'CredentialRequested',
    detail: { version: 1, tenantId, requestedBy: 'test', credential: anasOwn },
  });
  await test.outcome(['CredentialProvisioned'], tenantId);
  await supplyKey(test, { tenantId, credentialId: supplied.credentialId, apiKey: `sk-ant-api03-${'k'.repeat(90)}AA` });

  const token = await test.cloud.oidc.mint({ tenantId, userId: subject, expiresIn: 86_400 });
  const [tenants, users] = [await chat(test, token), await chat(test, token, { headers: { 'x-cordon-use-case': 'ana' } })];
  expect([tenants.status, users.status]).toEqual([200, 200]);
  await test.tenantSession(tenantId, subject);
  await test.auditor(tenantId);

  const which = { tenantId, credentialId: openAiMain.credentialId };
  const before = await stateOf(test, which);
  await requestRotation(test, which, { emergency: true });
  expect((await stateOf(test, which)).secretVersionId).not.toBe(before.secretVersionId);
  expect((await chat(test, token)).status).toBe(200);

  await ended(test, tenantId, await apply(test, 'RevocationRequested', { tenantId, scope: 'user', userId: ana }));
  expect((await chat(test, token)).status).toBe(401);
  await ended(test, tenantId, await apply(test, 'TenantOffboarded', { tenantId }));
}

describe('E8 T3 CloudTrail says nothing of what Cordon does', () => {
  it('the whole life of a tenant of each tier, a customer’s account, the isolation tests and the audit', async () => {
    const heard = test.cloud.journal.lastSeq;
    const { tenantId } = await test.onboard({ credentials: [] });
    const others = Promise.all([live(test.freshTenantId(), 'pool'), live(test.freshTenantId(), 'dedicated')]);
    await connect(test, { tenantId, services: ['bedrock'] });
    expect((await askBedrock(test, await tokenOf(test, tenantId, 'member'))).status).toBe(200);
    await others;
    // What tries to cross on purpose, and what looks at every policy.
    for (const line of [['setup'], ['verify', '--tenant', tenantId], ['audit']]) {
      const { exitCode, err } = await operator.cordon(['isolation', ...line, '--json'], { stepMs: 2000 });
      expect(exitCode, err).toBe(0);
    }
    await pause(test.cloud);

    expect(await foundByWatch(test)).toEqual([]);
    // It was not deaf: records have come, and its function has taken them.
    const watcher = test.cloud.kernel.callerOf((await credentialsOf(test, 'watch')).accessKeyId)?.principal.arn.split('/')[1] ?? '-';
    const taken = test.cloud.journal
      .since(heard)
      .filter(({ principal, action }) => principal.includes(watcher) && action === 'sqs:DeleteMessage');
    expect(taken.length).toBeGreaterThan(50);
  }, 120_000);
});

describe('E8 T3 CloudTrail shows who reached across', () => {
  let a: string;
  let b: string;
  let admin: AwsClients;
  beforeAll(async () => {
    ({ tenantId: a } = await test.onboard());
    ({ tenantId: b } = await test.onboard());
    admin = test.clients(administratorOf(test));
  });

  it('a session that was handed out under another tenant’s name, and what is done with it', async () => {
    const sessions = test.clients(await credentialsOf(test, 'sessions'));
    const input = { RoleArn: role('TenantReader'), RoleSessionName: a, DurationSeconds: 900, Tags: tagged(b) };
    let disguised: AwsClients | undefined;
    const minted = await foundOf(test, async () => {
      disguised = test.clients(await assumeRole(sessions, input));
    });
    const used = await foundOf(test, async () => disguised && read(secretOf(b))(disguised));
    expect(minted).toMatchObject([{ code: 'SESSION_DISAGREES', tenantId: b, left: [expect.any(String)] }]);
    expect(used).toMatchObject([
      { code: 'CROSS_TENANT_USE', tenantId: b, message: expect.stringMatching(/and got it$/), left: [expect.any(String)] },
    ]);
  });

  it('a session that asked for another tenant’s secret, although it was refused', async () => {
    const own = test.clients(await test.tenantSession(a));
    const found = await foundOf(test, () => read(secretOf(b))(own).catch(() => undefined));
    expect(found).toMatchObject([{ code: 'CROSS_TENANT_USE', tenantId: b, message: expect.stringMatching(/refused/), left: [] }]);
  });

  it('a person who reads a tenant’s secret', async () => {
    const found = await foundOf(test, () => read(secretOf(b))(admin).catch(() => undefined));
    expect(found).toMatchObject([{ code: 'FOREIGN_READER', tenantId: b, message: expect.stringContaining('user/admin') }]);
  });

  it('whoever moves a wall: the policy or the tags of a secret, the policy or the grants of a key', async () => {
    const ResourcePolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${test.cloud.accountId}:root` },
          Action: 'secretsmanager:DescribeSecret',
          Resource: '*',
        },
      ],
    });
    const KeyId = test.cloud.outputs['TenantKeyArn'];
    const moves: readonly [tenantId: string | undefined, move: () => Promise<unknown>][] = [
      [b, () => admin.secretsmanager.send(new PutResourcePolicyCommand({ SecretId: secretOf(b), ResourcePolicy }))],
      [b, () => admin.secretsmanager.send(new UntagResourceCommand({ SecretId: secretOf(b), TagKeys: ['Environment'] }))],
      [
        undefined,
        async () => {
          const { Policy } = await admin.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
          await admin.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
        },
      ],
      [
        undefined,
        () =>
          admin.kms
            .send(new CreateGrantCommand({ KeyId, GranteePrincipal: `arn:aws:iam::${test.cloud.accountId}:root`, Operations: ['Decrypt'] }))
            .catch(() => undefined),
      ],
    ];
    for (const [tenantId, move] of moves) expect(await foundOf(test, move)).toMatchObject([{ code: 'WALL_TOUCHED', tenantId }]);
  });
});

describe('T3 a credential whose owner is not who asks', () => {
  it('is used by nobody, told, and on record as refused, although it lies among the caller’s own', async () => {
    const [a, b] = [await openAiTenant(test), await openAiTenant(test)];
    await plant(test.cloud, { pk: `TENANT#${a}#`, sk: 'CREDENTIAL#openai-main' }, { tenantId: b });
    const token = await test.cloud.oidc.mint({ tenantId: a, userId: 'ana' });
    const found = await foundOf(test, async () =>
      expect(await refusalOf(await chat(test, token))).toEqual({ status: 403, code: 'ACCESS_REFUSED' }),
    );
    expect(found).toMatchObject([{ code: 'CROSS_TENANT_USE', tenantId: a, message: expect.stringContaining(`cordon/${a}/openai-main`) }]);
    expect((await endedUses(test, a, 1)).map(({ outcome }) => outcome)).toMatchObject([{ result: 'refused', code: 'ACCESS_REFUSED' }]);
  });
});
