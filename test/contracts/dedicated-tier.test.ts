import {
  CreatePolicyCommand,
  CreateRoleCommand,
  GetRoleCommand,
  ListAttachedRolePoliciesCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam';
import { DescribeKeyCommand, GenerateDataKeyCommand, GetKeyPolicyCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { createDedicatedTier } from '../../functions/tenants/dedicated-tier.aws.ts';
import type { DedicatedTier } from '../../functions/tenants/dedicated-tier.ts';
import { dedicatedTierContract } from './dedicated-tier.suite.ts';
import { createMemoryDedicatedTier } from './fakes/memory-dedicated-tier.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

dedicatedTierContract('memory', async () => {
  const tier = createMemoryDedicatedTier();
  return { tier, rolesOf: async (id) => [...tier.roles].filter((name) => name.startsWith(`TenantAgent-${id}`)).sort() };
});

describe('on the local cloud', () => {
  const acme = tenantId.parse('acme');
  let aws: LocalAws;
  let tier: DedicatedTier;

  beforeEach(async () => {
    aws = await startLocalAws();
    const policy = async (PolicyName: string): Promise<string> => {
      const PolicyDocument = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' }],
      });
      const { Policy } = await aws.admin.iam.send(new CreatePolicyCommand({ PolicyName, Path: '/cordon/', PolicyDocument }));
      return Policy?.Arn ?? '';
    };
    const role = (name: string): string => `arn:aws:iam::${aws.accountId}:role/${name}`;
    tier = createDedicatedTier(
      { ...aws.admin, kmsOnce: aws.admin.kms },
      {
        roleArnPrefix: role('cordon/TenantAgent-'),
        poolKeyArn: aws.keyArn,
        boundaryArn: await policy('TenantBoundary'),
        isolationPolicyArn: await policy('TenantIsolation'),
        revokedPolicyArn: await policy('Revoked'),
        readerPolicyArn: await policy('TenantReaderAccess'),
        writerPolicyArn: await policy('TenantWriterAccess'),
        sessionsRoleArn: role('Sessions'),
        tenantsRoleArn: role('Tenants'),
        doorRoleArn: role('Door'),
        rotationRoleArn: role('Rotation'),
        revocationRoleArn: role('Revocation'),
        supplierRoleArn: role('TenantSupplier'),
      },
    );
  });
  afterEach(() => aws.close());

  const rolesOf = async (id: string): Promise<string[]> => {
    const { Roles } = await aws.admin.iam.send(new ListRolesCommand({ PathPrefix: '/cordon/' }));
    return (Roles ?? []).flatMap(({ RoleName }) => (RoleName?.startsWith(`TenantAgent-${id}`) ? [RoleName] : [])).sort();
  };
  const keysMade = (): number =>
    aws.kernel.journal.since(0).filter((call) => call.action === 'kms:CreateKey' && call.decision === 'allow').length - 1;

  dedicatedTierContract('IAM and KMS', async () => ({ tier, rolesOf }));

  it.each(['CreateRole', 'AttachRolePolicy'])('completes the roles after a lost answer to %s', async (action) => {
    for (const mode of ['after', 'before', 'duplicate'] as const) {
      aws.kernel.faults.add({ service: 'iam', action, nth: 2, mode });
      await tier.ensureRoles(acme).catch(() => tier.ensureRoles(acme));
    }
    for (const [name, access] of [
      ['TenantAgent-acme', 'TenantReaderAccess'],
      ['TenantAgent-acme.writer', 'TenantWriterAccess'],
    ] as const) {
      const { AttachedPolicies } = await aws.admin.iam.send(new ListAttachedRolePoliciesCommand({ RoleName: name }));
      expect((AttachedPolicies ?? []).map((policy) => policy.PolicyName).sort()).toEqual(['Revoked', 'TenantIsolation', access].sort());
      const { Role } = await aws.admin.iam.send(new GetRoleCommand({ RoleName: name }));
      expect(Role).toMatchObject({
        Path: '/cordon/',
        PermissionsBoundary: { PermissionsBoundaryArn: expect.stringContaining('policy/cordon/TenantBoundary') },
      });
      expect(Role?.Tags).toEqual(
        expect.arrayContaining([
          { Key: 'TenantId', Value: 'acme' },
          { Key: 'Tier', Value: 'dedicated' },
        ]),
      );
    }
  });

  it.each(['CreateKey', 'EnableKeyRotation', 'CreateAlias'])('ends with one key after a lost answer to %s', async (action) => {
    await tier.ensureRoles(acme);
    aws.kernel.faults.add({ service: 'kms', action, nth: 1, mode: 'after' });
    await expect(tier.ensureKey(acme, false)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
    const keyArn = await tier.ensureKey(acme, true);
    expect(keysMade()).toBe(1);
    expect((await aws.admin.kms.send(new DescribeKeyCommand({ KeyId: 'alias/cordon/acme' }))).KeyMetadata?.Arn).toBe(keyArn);
    expect((await aws.admin.kms.send(new GetKeyRotationStatusCommand({ KeyId: keyArn }))).KeyRotationEnabled).toBe(true);
  });

  it("does not take up a role of that name that is not the tenant's", async () => {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: aws.accountId }, Action: 'sts:AssumeRole' }],
    });
    await aws.admin.iam.send(new CreateRoleCommand({ RoleName: 'TenantAgent-acme', Path: '/cordon/', AssumeRolePolicyDocument }));
    await expect(tier.ensureRoles(acme)).rejects.toMatchObject({ code: 'AWS_REFUSED', retryable: false });
  });

  it('makes a key that an administrator can describe and cannot use', async () => {
    await tier.ensureRoles(acme);
    const KeyId = await tier.ensureKey(acme, false);
    await expect(aws.admin.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).resolves.toMatchObject({
      Policy: expect.stringContaining('DenyUseByOthers'),
    });
    await expect(aws.admin.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});
