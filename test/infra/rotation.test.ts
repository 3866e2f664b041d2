import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  account,
  attributionTable,
  bob,
  type Context,
  registryTable,
  role,
  type Session,
  secret,
  tagged,
  tenantKey,
  throughSecretsManager,
} from '../fixtures/attacks.ts';
import { decide, decideOwn, decideTrust, functionRole, ownStatements } from '../support/policies.ts';

const rotator = (TenantId: string, UserId?: string): Session => ({ role: 'TenantRotator', tags: { TenantId, ...(UserId && { UserId }) } });
const keys = (...leading: string[]): Context => ({ 'dynamodb:LeadingKeys': leading });
const attempt = (session: Session, action: string, resource: string, context: Context = {}): Attempt => ({
  name: action,
  session,
  action,
  resource,
  context,
});
const onSecrets = ['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
  (name) => `secretsmanager:${name}`,
);
const throughKey = ['kms:Decrypt', 'kms:GenerateDataKey'];
const onRegistry = ['GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`);
const day = 'TENANT#acme#2026-11-01';

describe('R2 I1 what rotates one tenant’s keys', () => {
  const own: Attempt[] = [
    ...onSecrets.map((action) => attempt(rotator('acme'), action, secret('acme'), tagged('acme'))),
    ...onSecrets.map((action) => attempt(rotator('acme', bob), action, secret('acme'), tagged('acme', { UserId: bob }))),
    ...throughKey.map((action) => attempt(rotator('acme'), action, tenantKey, throughSecretsManager('acme'))),
    ...onRegistry.map((action) => attempt(rotator('acme'), action, registryTable, keys('TENANT#acme#'))),
    attempt(rotator('acme'), 'dynamodb:Query', `${attributionTable}/index/byCredential`, keys(day)),
    attempt(rotator('acme'), 'dynamodb:PartiQLInsert', attributionTable, keys(day)),
  ];
  it.each(own.map((one) => [`${one.action} on its own`, one] as const))('may %s', (_, one) => {
    expect(decide(one).allowed).toBe(true);
  });

  const denied: [string, Attempt, string[]][] = [
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on another tenant’s`,
      attempt(rotator('acme'), action, secret('globex'), tagged('globex')),
      ['DenySecretsOfOtherPaths', 'DenySecretsOfOtherTags'],
    ]),
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on what carries another’s tag`,
      attempt(rotator('acme'), action, secret('acme'), tagged('globex')),
      ['DenySecretsOfOtherTags'],
    ]),
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on a user’s own, as the tenant`,
      attempt(rotator('acme'), action, secret('acme'), tagged('acme', { UserId: bob })),
      ['DenySecretsOfOtherUsers'],
    ]),
    [
      'read a dedicated tenant’s secret',
      attempt(rotator('initech'), 'secretsmanager:GetSecretValue', secret('initech'), tagged('initech', { Tier: 'dedicated' })),
      ['DenyDedicatedToSharedRolesByResourceTag'],
    ],
    [
      'use the key for another path',
      attempt(rotator('acme'), 'kms:Decrypt', tenantKey, throughSecretsManager('globex')),
      ['DenyKeyUseForOtherPaths'],
    ],
    ...onRegistry.map((action): [string, Attempt, string[]] => [
      `${action} on another tenant’s items`,
      attempt(rotator('acme'), action, registryTable, keys('TENANT#globex#')),
      ['DenyItemsOfOtherTenants'],
    ]),
    ...onRegistry.map((action): [string, Attempt, string[]] => [
      `${action} without a key`,
      attempt(rotator('acme'), action, registryTable),
      ['DenyItemsWithoutLeadingKey'],
    ]),
    ['change what is on record', attempt(rotator('acme'), 'dynamodb:PutItem', attributionTable, keys(day)), ['DenyChangingAttribution']],
    [
      'read another tenant’s record',
      attempt(rotator('acme'), 'dynamodb:Query', attributionTable, keys('TENANT#globex#2026-11-01')),
      ['DenyItemsOfOtherTenants'],
    ],
    ['become the reader', attempt(rotator('acme'), 'sts:AssumeRole', role('TenantWriter')), ['DenyRolesOfOthers']],
  ];
  it.each(denied)('may not %s', (_, one, sids) => {
    const decision = decide(one);
    expect(decision).toMatchObject({ allowed: false, reason: 'explicit-deny' });
    expect(decision.denies.map(({ policy, sid }) => `${policy}/${sid}`)).toEqual(
      expect.arrayContaining(sids.flatMap((sid) => [`TenantIsolation/${sid}`, `TenantBoundary/${sid}`])),
    );
  });

  const notGranted: Attempt[] = [
    attempt(rotator('acme'), 'secretsmanager:DeleteSecret', secret('acme'), tagged('acme')),
    attempt(rotator('acme'), 'secretsmanager:CreateSecret', secret('acme'), {
      'aws:RequestTag/TenantId': 'acme',
      'aws:TagKeys': ['TenantId'],
    }),
    attempt(rotator('acme'), 'kms:Decrypt', tenantKey, {
      'kms:EncryptionContext:TenantId': 'acme',
      'kms:EncryptionContextKeys': ['TenantId'],
    }),
    attempt(rotator('acme'), 'dynamodb:DeleteItem', registryTable, keys('TENANT#acme#')),
    attempt(rotator('acme'), 'sts:AssumeRole', role('TenantReader')),
    attempt(rotator('acme'), 'sts:AssumeRole', role('ByocConnector')),
    attempt(rotator('acme'), 'sts:GetWebIdentityToken', '*'),
    attempt(rotator('acme'), 'iam:CreateRole', role('TenantAgent-acme')),
  ];
  it.each(notGranted.map((one) => [`${one.action} on ${one.resource}`, one] as const))('is not granted %s', (_, one) => {
    expect(decide(one).allowed).toBe(false);
  });
});

describe('R2 who may rotate', () => {
  const worker = { arn: functionRole('Rotation'), tags: {} };
  const tried = (
    caller: Parameters<typeof decideTrust>[0]['caller'],
    tags: Record<string, string>,
    transitive?: readonly string[],
  ): boolean => decideTrust({ role: 'TenantRotator', caller, tags, ...(transitive && { transitive }) }).every(({ allowed }) => allowed);

  it('is the rotation worker, for one tenant, with tags that stay where they are', () => {
    expect(tried(worker, { TenantId: 'acme' })).toBe(true);
    expect(tried(worker, { TenantId: 'acme', UserId: bob })).toBe(true);
    expect(tried(worker, {})).toBe(false);
    expect(tried(worker, { TenantId: '' })).toBe(false);
    expect(tried(worker, { TenantId: 'acme', Admin: 'yes' })).toBe(false);
    expect(tried(worker, { TenantId: 'acme' }, ['TenantId'])).toBe(false);
  });

  it('is no other function, no session and no stranger', () => {
    for (const name of ['Sessions', 'Tenants', 'Worker', 'Door', 'Sweep'] as const)
      expect(tried({ arn: functionRole(name), tags: {}, mayAssume: true }, { TenantId: 'acme' }), name).toBe(false);
    expect(tried({ arn: role('TenantWriter'), tags: { TenantId: 'acme' }, mayAssume: true }, { TenantId: 'acme' })).toBe(false);
    expect(tried({ arn: 'arn:aws:iam::444455556666:role/Somebody', tags: {}, mayAssume: true }, { TenantId: 'acme' })).toBe(false);
  });

  it('may become no other shared role, and reads the administrators’ credentials through Secrets Manager only', () => {
    const assume = (name: string) => decideOwn('Rotation', { action: 'sts:AssumeRole', resource: role(name) }).allowed;
    expect(['TenantRotator', 'TenantAgent-acme', 'TenantAgent-acme.writer'].map(assume)).toEqual([true, true, true]);
    for (const name of [
      'TenantReader',
      'TenantWriter',
      'TenantSupplier',
      'TenantRevoker',
      'TenantProvisioner',
      'TenantAuditor',
      'ByocConnector',
      'ByocProbe',
    ])
      expect(assume(name), name).toBe(false);
    const statement = (sid: string) => [ownStatements('Rotation').find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
    const [admin = ''] = statement('ReadAdminKeys');
    const [key = ''] = statement('DecryptAdminKeys');
    const open = (context: Context) => decideOwn('Rotation', { action: 'kms:Decrypt', resource: key, context }).allowed;
    const host = 'secretsmanager.us-east-1.amazonaws.com';
    expect(open({ 'kms:ViaService': host, 'kms:EncryptionContext:SecretARN': admin })).toBe(true);
    expect(open({ 'kms:ViaService': host, 'kms:EncryptionContext:SecretARN': `${admin}x` })).toBe(false);
    expect(open({ 'kms:EncryptionContext:SecretARN': admin })).toBe(false);
    expect(
      decideOwn('Rotation', { action: 'secretsmanager:GetSecretValue', resource: secret('acme'), context: tagged('acme') }).allowed,
    ).toBe(false);
    expect(
      decideOwn('Rotation', { action: 'events:PutEvents', resource: `arn:aws:events:us-east-1:${account}:event-bus/any` }).allowed,
    ).toBe(false);
  });
});
