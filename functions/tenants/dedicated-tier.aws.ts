import { AttachRolePolicyCommand, CreateRoleCommand, GetRoleCommand, type IAMClient } from '@aws-sdk/client-iam';
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, EnableKeyRotationCommand, type KMSClient } from '@aws-sdk/client-kms';
import { GetResourcesCommand, type ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { type DedicatedTierSettings, dedicatedPlan, type PlannedRole } from './dedicated-plan.ts';
import type { DedicatedTier } from './dedicated-tier.ts';

/** Clients with the credentials of a TenantProvisioner session of the one tenant. */
export interface DedicatedTierClients {
  readonly iam: IAMClient;
  readonly kms: KMSClient;
  /** Must not repeat a call by itself: CreateKey has no token by which a repetition is known, so a lost answer must come to us. */
  readonly kmsOnce: KMSClient;
  readonly tagging: ResourceGroupsTaggingAPIClient;
}

type Tags = Readonly<Record<string, string>>;

export function createDedicatedTier({ iam, kms, kmsOnce, tagging }: DedicatedTierClients, settings: DedicatedTierSettings): DedicatedTier {
  async function ensureRole(role: PlannedRole, tags: Tags): Promise<void> {
    const { name: RoleName, path: Path, trust, boundaryArn, policyArns } = role;
    await aws('making a role of the tenant', async () => {
      try {
        await iam.send(
          new CreateRoleCommand({
            RoleName,
            Path,
            AssumeRolePolicyDocument: JSON.stringify(trust),
            PermissionsBoundary: boundaryArn,
            Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          }),
        );
      } catch (error) {
        if (!isAwsError(error, 'EntityAlreadyExistsException', 'EntityAlreadyExists')) throw error;
        await verifyRole(role, tags);
      }
      // Attaching what is attached changes nothing. One after the other: IAM answers concurrent changes of one role with a conflict.
      for (const PolicyArn of policyArns) await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    });
  }

  /** A role of that name is taken up only if it is what this code would have made: the tenant's own, under the boundary. */
  async function verifyRole({ name, path, boundaryArn }: PlannedRole, tags: Tags): Promise<void> {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: name }));
    const found = new Map((Role?.Tags ?? []).map((tag) => [tag.Key, tag.Value]));
    const ours = Role?.Path === path && Object.entries(tags).every(([key, value]) => found.get(key) === value);
    if (!ours || Role?.PermissionsBoundary?.PermissionsBoundaryArn !== boundaryArn) {
      throw new CordonError('AWS_REFUSED', `the role ${name} exists and is not this tenant's`);
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
    const TagFilters = Object.entries(dedicatedPlan(settings, tenantId).tags).map(([Key, value]) => ({ Key, Values: [value] }));
    const { ResourceTagMappingList } = await tagging.send(new GetResourcesCommand({ TagFilters, ResourceTypeFilters: ['kms:key'] }));
    for (const { ResourceARN } of ResourceTagMappingList ?? []) {
      const usable = ResourceARN === undefined ? undefined : await usableKey(ResourceARN);
      if (usable !== undefined) return usable;
    }
    return undefined;
  }

  async function createKey(tenantId: TenantId): Promise<string> {
    const { key, tags } = dedicatedPlan(settings, tenantId);
    const { KeyMetadata } = await kmsOnce.send(
      new CreateKeyCommand({
        Description: `Secrets of tenant ${tenantId}`,
        Policy: JSON.stringify(key.policy),
        Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      }),
    );
    if (KeyMetadata?.Arn === undefined) throw new CordonError('AWS_UNAVAILABLE', 'KMS answered without a key', { retryable: true });
    return KeyMetadata.Arn;
  }

  return {
    async ensureRoles(tenantId) {
      const { roles, tags } = dedicatedPlan(settings, tenantId);
      for (const role of roles) await ensureRole(role, tags);
    },

    ensureKey(tenantId, mayExist) {
      const { alias } = dedicatedPlan(settings, tenantId).key;
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
