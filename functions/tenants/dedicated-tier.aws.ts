import { AttachRolePolicyCommand, CreateRoleCommand, GetRoleCommand, type IAMClient } from '@aws-sdk/client-iam';
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, EnableKeyRotationCommand, type KMSClient } from '@aws-sdk/client-kms';
import { GetResourcesCommand, type ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { cellOf, keyPolicy, readerTrust, writerTrust } from './dedicated-policies.ts';
import { type DedicatedTier, dedicatedRoleNames } from './dedicated-tier.ts';

export interface DedicatedTierSettings {
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  readonly roleArnPrefix: string;
  /** Any ARN of the cell that names Region and account. */
  readonly poolKeyArn: string;
  readonly boundaryArn: string;
  readonly isolationPolicyArn: string;
  /** Refuses sessions that were cut off. */
  readonly revokedPolicyArn: string;
  readonly readerPolicyArn: string;
  readonly writerPolicyArn: string;
  readonly sessionsRoleArn: string;
  readonly tenantsRoleArn: string;
  readonly doorRoleArn: string;
  readonly rotationRoleArn: string;
  readonly revocationRoleArn: string;
  /** TenantSupplier */
  readonly supplierRoleArn: string;
}

/** Clients with the credentials of a TenantProvisioner session of the one tenant. */
export interface DedicatedTierClients {
  readonly iam: IAMClient;
  readonly kms: KMSClient;
  /** Must not repeat a call by itself: CreateKey has no token by which a repetition is known, so a lost answer must come to us. */
  readonly kmsOnce: KMSClient;
  readonly tagging: ResourceGroupsTaggingAPIClient;
}

const path = '/cordon/';

export function createDedicatedTier({ iam, kms, kmsOnce, tagging }: DedicatedTierClients, settings: DedicatedTierSettings): DedicatedTier {
  const cell = cellOf(settings.poolKeyArn);
  const arns = (tenantId: TenantId): { readerArn: string; writerArn: string } => ({
    readerArn: `${settings.roleArnPrefix}${tenantId}`,
    writerArn: `${settings.roleArnPrefix}${tenantId}.writer`,
  });
  const tags = (tenantId: TenantId): [string, string][] => [
    ['TenantId', tenantId],
    ['Tier', 'dedicated'],
  ];

  async function ensureRole(tenantId: TenantId, roleName: string, trust: object, policies: readonly string[]): Promise<void> {
    await aws('making a role of the tenant', async () => {
      try {
        await iam.send(
          new CreateRoleCommand({
            RoleName: roleName,
            Path: path,
            AssumeRolePolicyDocument: JSON.stringify(trust),
            PermissionsBoundary: settings.boundaryArn,
            Tags: tags(tenantId).map(([Key, Value]) => ({ Key, Value })),
          }),
        );
      } catch (error) {
        if (!isAwsError(error, 'EntityAlreadyExistsException', 'EntityAlreadyExists')) throw error;
        await verifyRole(tenantId, roleName);
      }
      // Attaching what is attached changes nothing. One after the other: IAM answers concurrent changes of one role with a conflict.
      for (const PolicyArn of policies) await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn }));
    });
  }

  /** A role of that name is taken up only if it is what this code would have made: the tenant's own, under the boundary. */
  async function verifyRole(tenantId: TenantId, roleName: string): Promise<void> {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: roleName }));
    const found = new Map((Role?.Tags ?? []).map((tag) => [tag.Key, tag.Value]));
    const ours = Role?.Path === path && tags(tenantId).every(([key, value]) => found.get(key) === value);
    if (!ours || Role?.PermissionsBoundary?.PermissionsBoundaryArn !== settings.boundaryArn) {
      throw new CordonError('AWS_REFUSED', `the role ${roleName} exists and is not this tenant's`);
    }
  }

  /** The key's ARN, or undefined when there is no such key or it cannot be used any more. */
  async function usableKey(keyId: string): Promise<string | undefined> {
    try {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }));
      return KeyMetadata?.KeyState === 'Enabled' ? KeyMetadata.Arn : undefined;
    } catch (error) {
      if (isAwsError(error, 'NotFoundException')) return undefined;
      throw error;
    }
  }

  /**
   * The key behind the alias. An alias that does not exist has no tag that would let the session ask for it, so a refusal says no more than that it may be missing
   * (KMS Developer Guide, "Troubleshooting key access": AccessDeniedException "because the resource does not exist").
   */
  async function keyByAlias(alias: string): Promise<string | undefined> {
    try {
      return await usableKey(alias);
    } catch (error) {
      if (isAwsError(error, 'AccessDenied', 'AccessDeniedException')) return undefined;
      throw error;
    }
  }

  /** A key whose alias was never made: the answer to CreateKey, or the one to CreateAlias, was lost. */
  async function keyByTag(tenantId: TenantId): Promise<string | undefined> {
    const TagFilters = tags(tenantId).map(([Key, value]) => ({ Key, Values: [value] }));
    const { ResourceTagMappingList } = await tagging.send(new GetResourcesCommand({ TagFilters, ResourceTypeFilters: ['kms:key'] }));
    for (const { ResourceARN } of ResourceTagMappingList ?? []) {
      const usable = ResourceARN === undefined ? undefined : await usableKey(ResourceARN);
      if (usable !== undefined) return usable;
    }
    return undefined;
  }

  async function createKey(tenantId: TenantId): Promise<string> {
    const { KeyMetadata } = await kmsOnce.send(
      new CreateKeyCommand({
        Description: `Secrets of tenant ${tenantId}`,
        Policy: JSON.stringify(keyPolicy(cell, tenantId, { ...arns(tenantId), supplierArn: settings.supplierRoleArn })),
        Tags: tags(tenantId).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      }),
    );
    if (KeyMetadata?.Arn === undefined) throw new CordonError('AWS_UNAVAILABLE', 'KMS answered without a key', { retryable: true });
    return KeyMetadata.Arn;
  }

  return {
    async ensureRoles(tenantId) {
      const { reader, writer } = dedicatedRoleNames(tenantId);
      const { isolationPolicyArn, revokedPolicyArn, readerPolicyArn, writerPolicyArn } = settings;
      const both = [isolationPolicyArn, revokedPolicyArn];
      await ensureRole(tenantId, reader, readerTrust(cell, arns(tenantId).readerArn, settings), [readerPolicyArn, ...both]);
      await ensureRole(tenantId, writer, writerTrust(cell, settings), [writerPolicyArn, ...both]);
    },

    ensureKey(tenantId, mayExist) {
      const alias = `alias/cordon/${tenantId}`;
      return aws('making the key of the tenant', async () => {
        const named = mayExist ? await keyByAlias(alias) : undefined;
        if (named !== undefined) return named;
        const keyArn = (mayExist ? await keyByTag(tenantId) : undefined) ?? (await createKey(tenantId));
        // The alias comes last: a key that has it is complete.
        await kms.send(new EnableKeyRotationCommand({ KeyId: keyArn }));
        await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyArn }));
        return keyArn;
      });
    },
  };
}
