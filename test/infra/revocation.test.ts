import { describe, expect, it } from 'vitest';
import {
  type Attempt,
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

const revoker = (TenantId: string, UserId?: string): Session => ({ role: 'TenantRevoker', tags: { TenantId, ...(UserId && { UserId }) } });
const keys = (...leading: string[]): Context => ({ 'dynamodb:LeadingKeys': leading });
const attempt = (session: Session, action: string, resource: string, context: Context = {}): Attempt => ({
  name: action,
  session,
  action,
  resource,
  context,
});
const onSecrets = [
  'DeleteSecret',
  'DescribeSecret',
  'GetSecretValue',
  'ListSecretVersionIds',
  'PutSecretValue',
  'UpdateSecretVersionStage',
].map((name) => `secretsmanager:${name}`);
const throughKey = ['kms:Decrypt', 'kms:GenerateDataKey'];
const onRegistry = ['ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`);
const day = 'TENANT#acme#2026-11-01';

describe('X3 I1 what ends one tenant’s keys', () => {
  const own: Attempt[] = [
    ...onSecrets.map((action) => attempt(revoker('acme'), action, secret('acme'), tagged('acme'))),
    ...onSecrets.map((action) => attempt(revoker('acme', bob), action, secret('acme'), tagged('acme', { UserId: bob }))),
    ...throughKey.map((action) => attempt(revoker('acme'), action, tenantKey, throughSecretsManager('acme'))),
    ...onRegistry.map((action) => attempt(revoker('acme'), action, registryTable, keys('TENANT#acme#'))),
    attempt(revoker('acme'), 'dynamodb:PartiQLInsert', attributionTable, keys(day)),
  ];
  it.each(own.map((one) => [`${one.action} on its own`, one] as const))('may %s', (_, one) => {
    expect(decide(one).allowed).toBe(true);
  });

  const denied: [string, Attempt, string[]][] = [
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on another tenant’s`,
      attempt(revoker('acme'), action, secret('globex'), tagged('globex')),
      ['DenySecretsOfOtherPaths', 'DenySecretsOfOtherTags'],
    ]),
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on what carries another’s tag`,
      attempt(revoker('acme'), action, secret('acme'), tagged('globex')),
      ['DenySecretsOfOtherTags'],
    ]),
    ...onSecrets.map((action): [string, Attempt, string[]] => [
      `${action} on a user’s own, as the tenant`,
      attempt(revoker('acme'), action, secret('acme'), tagged('acme', { UserId: bob })),
      ['DenySecretsOfOtherUsers'],
    ]),
    [
      'read a dedicated tenant’s secret',
      attempt(revoker('initech'), 'secretsmanager:GetSecretValue', secret('initech'), tagged('initech', { Tier: 'dedicated' })),
      ['DenyDedicatedToSharedRolesByResourceTag'],
    ],
    [
      'use the key for another path',
      attempt(revoker('acme'), 'kms:Decrypt', tenantKey, throughSecretsManager('globex')),
      ['DenyKeyUseForOtherPaths'],
    ],
    ...onRegistry.map((action): [string, Attempt, string[]] => [
      `${action} on another tenant’s items`,
      attempt(revoker('acme'), action, registryTable, keys('TENANT#globex#')),
      ['DenyItemsOfOtherTenants'],
    ]),
    ...onRegistry.map((action): [string, Attempt, string[]] => [
      `${action} without a key`,
      attempt(revoker('acme'), action, registryTable),
      ['DenyItemsWithoutLeadingKey'],
    ]),
    ['change what is on record', attempt(revoker('acme'), 'dynamodb:PutItem', attributionTable, keys(day)), ['DenyChangingAttribution']],
    [
      'read another tenant’s record',
      attempt(revoker('acme'), 'dynamodb:Query', attributionTable, keys('TENANT#globex#2026-11-01')),
      ['DenyItemsOfOtherTenants'],
    ],
    ['become the reader', attempt(revoker('acme'), 'sts:AssumeRole', role('TenantWriter')), ['DenyRolesOfOthers']],
  ];
  it.each(denied)('may not %s', (_, one, sids) => {
    const decision = decide(one);
    expect(decision).toMatchObject({ allowed: false, reason: 'explicit-deny' });
    expect(decision.denies.map(({ policy, sid }) => `${policy}/${sid}`)).toEqual(
      expect.arrayContaining(sids.flatMap((sid) => [`TenantIsolation/${sid}`, `TenantBoundary/${sid}`])),
    );
  });

  const notGranted: Attempt[] = [
    attempt(revoker('acme'), 'secretsmanager:RestoreSecret', secret('acme'), tagged('acme')),
    attempt(revoker('acme'), 'dynamodb:Query', attributionTable, keys(day)),
    attempt(revoker('acme'), 'secretsmanager:CreateSecret', secret('acme'), {
      'aws:RequestTag/TenantId': 'acme',
      'aws:TagKeys': ['TenantId'],
    }),
    attempt(revoker('acme'), 'kms:Decrypt', tenantKey, {
      'kms:EncryptionContext:TenantId': 'acme',
      'kms:EncryptionContextKeys': ['TenantId'],
    }),
    attempt(revoker('acme'), 'dynamodb:DeleteItem', registryTable, keys('TENANT#acme#')),
    attempt(revoker('acme'), 'sts:AssumeRole', role('TenantReader')),
    attempt(revoker('acme'), 'sts:AssumeRole', role('ByocConnector')),
    attempt(revoker('acme'), 'sts:GetWebIdentityToken', '*'),
    attempt(revoker('acme'), 'iam:CreateRole', role('TenantAgent-acme')),
  ];
  it.each(notGranted.map((one) => [`${one.action} on ${one.resource}`, one] as const))('is not granted %s', (_, one) => {
    expect(decide(one).allowed).toBe(false);
  });
});

describe('X1 who may end what is revoked', () => {
  const worker = { arn: functionRole('Revocation'), tags: {} };
  const tried = (
    caller: Parameters<typeof decideTrust>[0]['caller'],
    tags: Record<string, string>,
    transitive?: readonly string[],
  ): boolean => decideTrust({ role: 'TenantRevoker', caller, tags, ...(transitive && { transitive }) }).every(({ allowed }) => allowed);

  it('is the revocation worker, for one tenant, with tags that stay where they are', () => {
    expect(tried(worker, { TenantId: 'acme' })).toBe(true);
    expect(tried(worker, { TenantId: 'acme', UserId: bob })).toBe(true);
    expect(tried(worker, {})).toBe(false);
    expect(tried(worker, { TenantId: '' })).toBe(false);
    expect(tried(worker, { TenantId: 'acme', Admin: 'yes' })).toBe(false);
    expect(tried(worker, { TenantId: 'acme' }, ['TenantId'])).toBe(false);
  });

  it('is no other function, no session and no stranger', () => {
    for (const name of ['Sessions', 'Tenants', 'Worker', 'Door', 'Sweep', 'Rotation'] as const)
      expect(tried({ arn: functionRole(name), tags: {}, mayAssume: true }, { TenantId: 'acme' }), name).toBe(false);
    expect(tried({ arn: role('TenantWriter'), tags: { TenantId: 'acme' }, mayAssume: true }, { TenantId: 'acme' })).toBe(false);
    expect(tried({ arn: 'arn:aws:iam::444455556666:role/Somebody', tags: {}, mayAssume: true }, { TenantId: 'acme' })).toBe(false);
  });

  it('becomes no other shared role, and publishes as the platform only what others have to do then', () => {
    const assume = (name: string) => decideOwn('Revocation', { action: 'sts:AssumeRole', resource: role(name) }).allowed;
    expect(['TenantRevoker', 'TenantAgent-acme', 'TenantAgent-acme.writer'].map(assume)).toEqual([true, true, true]);
    for (const name of [
      ...['TenantReader', 'TenantWriter', 'TenantSupplier', 'TenantRotator', 'TenantProvisioner', 'TenantAuditor'],
      ...['ByocConnector', 'ByocProbe'],
    ])
      expect(assume(name), name).toBe(false);
    const [bus = ''] = [ownStatements('Revocation').find(({ Sid }) => Sid === 'Announce')?.Resource ?? []].flat();
    const publish = (source: string, type: string) =>
      decideOwn('Revocation', {
        action: 'events:PutEvents',
        resource: bus,
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    expect(publish('cordon', 'AccessChanged')).toBe(true);
    for (const type of ['RotationRequested', 'RoleDisconnectionRequested']) expect(publish('cordon.platform', type), type).toBe(true);
    for (const type of ['TenantOnboarded', 'AccessReinstated', 'RevocationConfirmed', 'RoleConnectionRequested'])
      expect(publish('cordon.platform', type), type).toBe(false);
    expect(
      decideOwn('Revocation', { action: 'secretsmanager:GetSecretValue', resource: secret('acme'), context: tagged('acme') }).allowed,
    ).toBe(false);
  });
});
