import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import { createRotationOpeners } from '../../functions/rotation/open-rotation.aws.ts';
import { createAssumeRole } from '../../functions/shared/assume-role.sts.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createTenantSessions } from '../../functions/shared/tenant-sessions.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const [acme, main] = [tenantId.parse('acme'), credentialId.parse('main')];
const ann = userIdOf('https://idp.example.com', 'ann');
const [first, second] = ['1'.repeat(64), '2'.repeat(64)];

let aws: LocalAws;
beforeEach(async () => {
  aws = await startLocalAws();
  vi.stubEnv('AWS_ENDPOINT_URL', aws.endpoint);
  vi.stubEnv('AWS_REGION', aws.region);
  const write = ['PutSecretValue', 'UpdateSecretVersionStage', 'DescribeSecret', 'ListSecretVersionIds'].map(
    (name) => `secretsmanager:${name}`,
  );
  const read = ['secretsmanager:GetSecretValue'];
  await makeRole('TenantRotator', ...write, ...read, 'dynamodb:GetItem', 'dynamodb:PartiQLInsert', 'dynamodb:Query');
  await makeRole('TenantAgent-acme.writer', ...write);
  await makeRole('TenantAgent-acme', ...read);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await aws.close();
});

async function makeRole(RoleName: string, ...actions: readonly string[]): Promise<void> {
  const trust = { Effect: 'Allow', Principal: { AWS: aws.accountId }, Action: ['sts:AssumeRole', 'sts:TagSession'] };
  const may = { Effect: 'Allow', Action: [...actions, 'kms:GenerateDataKey', 'kms:Decrypt'], Resource: '*' };
  const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await aws.admin.iam.send(new CreateRoleCommand({ RoleName, Path: '/cordon/', AssumeRolePolicyDocument: document(trust) }));
  await aws.admin.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'May', PolicyDocument: document(may) }));
}

function openers() {
  const clock = () => Date.now();
  const roles = `arn:aws:iam::${aws.accountId}:role/cordon`;
  return createRotationOpeners({
    sessions: createTenantSessions({ assume: createAssumeRole(aws.admin.sts), clock, capacity: 10 }),
    clock,
    nextId: createIds(clock),
    env: {
      REGISTRY_TABLE: aws.registryTable,
      ATTRIBUTION_TABLE: aws.attributionTable,
      TENANT_ROTATOR_ROLE_ARN: `${roles}/TenantRotator`,
      DEDICATED_ROLE_ARN_PREFIX: `${roles}/TenantAgent-`,
    },
  });
}

/** Action, role and session tags of each call that the work made of Secrets Manager or DynamoDB. */
async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  const since = aws.kernel.journal.lastSeq;
  await work();
  return aws.kernel.journal
    .since(since)
    .filter(({ action }) => /^(secretsmanager|dynamodb):/.test(action))
    .map(({ action, principal, tags }) => `${action.split(':')[1]} ${principal.split('/')[1]} ${JSON.stringify(tags)}`);
}

async function rotate(tier: 'pool' | 'dedicated', userId?: typeof ann): Promise<void> {
  const place = { tenantId: acme, credentialId: main, provider: 'openai', tier, environment: 'production', kmsKeyArn: aws.keyArn };
  const vault = await openers().openVault({ tenantId: acme, tier, userId });
  await vault.stage(place, new SecretText('sk-2'), second);
  await vault.readVersion(acme, main, second);
  await vault.promote(acme, main, { to: second, from: first });
}

describe('I1 I2 rotation opens a tenant’s data', () => {
  beforeEach(async () => {
    const place = { tenantId: acme, credentialId: main, provider: 'openai', tier: 'pool', environment: 'production' } as const;
    await createVault(aws.admin.secretsmanager).store({ ...place, kmsKeyArn: aws.keyArn }, new SecretText('sk-1'), first);
  });

  it('of a pool tenant in a TenantRotator session that names the tenant', async () => {
    const as = 'TenantRotator {"TenantId":"acme"}';
    expect(await callsOf(() => rotate('pool'))).toEqual([
      `PutSecretValue ${as}`,
      `GetSecretValue ${as}`,
      `UpdateSecretVersionStage ${as}`,
      `UpdateSecretVersionStage ${as}`,
    ]);
  });

  it('of one of its users in a session that names the user too', async () => {
    const calls = await callsOf(() => rotate('pool', ann));
    expect(new Set(calls.map((call) => call.split(' ')[2]))).toEqual(new Set([JSON.stringify({ TenantId: 'acme', UserId: ann })]));
  });

  it('of a dedicated tenant in sessions of its own roles: the one writes, the other reads', async () => {
    expect(await callsOf(() => rotate('dedicated'))).toEqual([
      'PutSecretValue TenantAgent-acme.writer {}',
      'GetSecretValue TenantAgent-acme {}',
      'UpdateSecretVersionStage TenantAgent-acme.writer {}',
      'UpdateSecretVersionStage TenantAgent-acme.writer {}',
    ]);
  });

  it('its registry and its attribution in a TenantRotator session, of whichever tier it is', async () => {
    const calls = await callsOf(async () => {
      const { registry, uses } = await openers().openStores(acme);
      expect(await registry.credential(acme, main)).toBeUndefined();
      expect(await uses.usesOf(acme, main, first, Date.now())).toEqual({ open: false, complete: true });
    });
    const as = 'TenantRotator {"TenantId":"acme"}';
    expect(new Set(calls)).toEqual(new Set([`GetItem ${as}`, `Query ${as}`]));
  });

  it('and keeps a session for the next message of that tenant', async () => {
    const opened = openers();
    const since = aws.kernel.journal.lastSeq;
    for (let n = 0; n < 3; n += 1) {
      await opened.openStores(acme);
      await opened.openVault({ tenantId: acme, tier: 'pool' });
      await opened.openVault({ tenantId: acme, tier: 'dedicated' });
    }
    const assumed = aws.kernel.journal.since(since).filter(({ action }) => action === 'sts:AssumeRole');
    expect(assumed.map(({ resource }) => resource.split('/').at(-1)).sort()).toEqual([
      'TenantAgent-acme',
      'TenantAgent-acme.writer',
      'TenantRotator',
    ]);
  });
});
