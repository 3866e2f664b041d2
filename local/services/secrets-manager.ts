/** The local Secrets Manager. Source: AWS Secrets Manager API Reference. Values are encrypted through the local KMS as the caller. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService, Operation } from '../core/service.ts';
import { refusedOperation } from './refused-operation.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { creationOperations } from './secrets-manager-creation.ts';
import { describe, listingOperations } from './secrets-manager-listing.ts';
import { passwordOperation } from './secrets-manager-password.ts';
import { createSecretStore, existingSecret, type Secret, type SecretStore, secretNeed, usableSecret } from './secrets-manager-store.ts';
import { openValue } from './secrets-manager-values.ts';
import { moveStage, requestedVersion } from './secrets-manager-versions.ts';
import { requestTagContext, tagKeys, tagList, tagsOf, withoutTags, withTags } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const dayMs = 86_400_000;
const secretId = z.string().min(1).max(2048);
const onlySecret = z.strictObject({ SecretId: secretId });
const versionId = z.string().min(32).max(64);
const stage = z.string().min(1).max(256);
/** Operations on one secret that nothing here uses: decided by IAM, then not implemented. */
const refused = [
  'ReplicateSecretToRegions',
  'RemoveRegionsFromReplication',
  'StopReplicationToReplica',
  'RotateSecret',
  'CancelRotateSecret',
  'ValidateResourcePolicy',
];

/** Secrets Manager for every account of the cloud; register `createKms` with the same kernel. A secret of another account is reached by its full ARN. */
export function createSecretsManager(kernel: Kernel): LocalService {
  const store = createSecretStore(kernel);
  return {
    signingName: 'secretsmanager',
    protocol: 'json',
    targetPrefix: 'secretsmanager',
    operations: {
      ...creationOperations(store),
      ...versionOperations(store),
      ...lifeOperations(store),
      ...tagOperations(store),
      ...policyOperations(store),
      ...listingOperations(store),
      GetRandomPassword: passwordOperation,
      ...Object.fromEntries(
        refused.map((name) => [
          name,
          refusedOperation(`Secrets Manager ${name}`, (input, scope) =>
            typeof input.SecretId === 'string'
              ? [secretNeed(store, name, input.SecretId, scope)]
              : [{ action: `secretsmanager:${name}`, resource: '*' }],
          ),
        ]),
      ),
    },
  };
}

function versionOperations(store: SecretStore): Record<string, Operation> {
  return {
    GetSecretValue: operation(z.strictObject({ SecretId: secretId, VersionId: versionId.optional(), VersionStage: stage.optional() }), {
      needs: (input, scope) => [
        secretNeed(store, 'GetSecretValue', input.SecretId, scope, {
          'secretsmanager:VersionId': input.VersionId,
          'secretsmanager:VersionStage': input.VersionStage ?? (input.VersionId === undefined ? 'AWSCURRENT' : undefined),
        }),
      ],
      async run(input, scope) {
        const secret = usableSecret(store, input.SecretId, scope);
        const version = requestedVersion(secret, input.VersionId, input.VersionStage);
        const value = await openValue(scope, secret.arn, version.id, version.sealed);
        secret.accessedAt = scope.clock.now();
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId: version.id,
          ...value,
          VersionStages: [...version.stages],
          CreatedDate: version.createdAt / 1000,
        };
      },
    }),
    UpdateSecretVersionStage: operation(
      z.strictObject({
        SecretId: secretId,
        VersionStage: stage,
        RemoveFromVersionId: versionId.optional(),
        MoveToVersionId: versionId.optional(),
      }),
      {
        needs: (input, scope) => [
          secretNeed(store, 'UpdateSecretVersionStage', input.SecretId, scope, { 'secretsmanager:VersionStage': input.VersionStage }),
        ],
        run(input, scope) {
          const secret = usableSecret(store, input.SecretId, scope);
          moveStage(secret, input.VersionStage, input.RemoveFromVersionId, input.MoveToVersionId);
          secret.changedAt = scope.clock.now();
          return named(secret);
        },
      },
    ),
    ListSecretVersionIds: operation(
      z.strictObject({
        SecretId: secretId,
        IncludeDeprecated: z.boolean().optional(),
      }),
      {
        needs: (input, scope) => [secretNeed(store, 'ListSecretVersionIds', input.SecretId, scope)],
        run(input, scope) {
          const secret = existingSecret(store, input.SecretId, scope);
          // At most 100 versions exist, and one page holds them: smaller pages are not implemented.
          const shown = [...secret.versions.values()].filter((version) => version.stages.size > 0 || input.IncludeDeprecated === true);
          return {
            ...named(secret),
            Versions: shown.map((version) => ({
              VersionId: version.id,
              VersionStages: [...version.stages],
              CreatedDate: version.createdAt / 1000,
              KmsKeyIds: [secret.kmsKeyId],
            })),
          };
        },
      },
    ),
  };
}

function lifeOperations(store: SecretStore): Record<string, Operation> {
  return {
    DescribeSecret: operation(onlySecret, {
      needs: (input, scope) => [secretNeed(store, 'DescribeSecret', input.SecretId, scope)],
      run: (input, scope) => describe(existingSecret(store, input.SecretId, scope)),
    }),
    DeleteSecret: operation(
      z.strictObject({
        SecretId: secretId,
        RecoveryWindowInDays: z.number().int().min(7).max(30).optional(),
        ForceDeleteWithoutRecovery: z.boolean().optional(),
      }),
      {
        needs: (input, scope) => [
          secretNeed(store, 'DeleteSecret', input.SecretId, scope, {
            'secretsmanager:RecoveryWindowInDays':
              input.RecoveryWindowInDays === undefined ? undefined : String(input.RecoveryWindowInDays),
            'secretsmanager:ForceDeleteWithoutRecovery':
              input.ForceDeleteWithoutRecovery === undefined ? undefined : String(input.ForceDeleteWithoutRecovery),
          }),
        ],
        run(input, scope) {
          const now = scope.clock.now();
          if (input.ForceDeleteWithoutRecovery === true) {
            if (input.RecoveryWindowInDays !== undefined) {
              throw new AwsError(
                'InvalidParameterException',
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
              );
            }
            // Forcing succeeds on a secret that is gone already (API Reference, DeleteSecret).
            const { secret, arn } = store.resolve(input.SecretId, scope.accountId);
            if (secret !== undefined) store.remove(secret);
            return { ARN: arn, Name: secret?.name ?? input.SecretId, DeletionDate: now / 1000 };
          }
          const secret = usableSecret(store, input.SecretId, scope);
          secret.deletedAt = now;
          secret.deletesAt = now + (input.RecoveryWindowInDays ?? 30) * dayMs;
          return { ...named(secret), DeletionDate: secret.deletesAt / 1000 };
        },
      },
    ),
    RestoreSecret: operation(onlySecret, {
      needs: (input, scope) => [secretNeed(store, 'RestoreSecret', input.SecretId, scope)],
      run(input, scope) {
        const secret = existingSecret(store, input.SecretId, scope);
        secret.deletedAt = undefined;
        secret.deletesAt = undefined;
        return named(secret);
      },
    }),
  };
}

function tagOperations(store: SecretStore): Record<string, Operation> {
  return {
    TagResource: operation(z.strictObject({ SecretId: secretId, Tags: tagList.min(1) }), {
      needs: (input, scope) => [secretNeed(store, 'TagResource', input.SecretId, scope, requestTagContext(tagsOf(input.Tags)))],
      run(input, scope) {
        const secret = usableSecret(store, input.SecretId, scope);
        secret.tags = withTags(secret.tags, tagsOf(input.Tags), 'InvalidParameterException');
        return {};
      },
    }),
    UntagResource: operation(z.strictObject({ SecretId: secretId, TagKeys: tagKeys.min(1) }), {
      needs: (input, scope) => [secretNeed(store, 'UntagResource', input.SecretId, scope, { 'aws:TagKeys': input.TagKeys })],
      run(input, scope) {
        const secret = usableSecret(store, input.SecretId, scope);
        secret.tags = withoutTags(secret.tags, input.TagKeys);
        return {};
      },
    }),
  };
}

function policyOperations(store: SecretStore): Record<string, Operation> {
  return {
    PutResourcePolicy: operation(
      // Blocking public policies takes a proof about all principals that is not attempted here; asking for it is answered NotImplemented.
      z.strictObject({ SecretId: secretId, ResourcePolicy: z.string().min(1).max(20_480) }),
      {
        needs: (input, scope) => [secretNeed(store, 'PutResourcePolicy', input.SecretId, scope)],
        run(input, scope) {
          const secret = usableSecret(store, input.SecretId, scope);
          secret.policy = parseResourcePolicy(
            `resource policy of ${secret.name}`,
            input.ResourcePolicy,
            'MalformedPolicyDocumentException',
          );
          secret.policyText = input.ResourcePolicy;
          return named(secret);
        },
      },
    ),
    GetResourcePolicy: operation(onlySecret, {
      needs: (input, scope) => [secretNeed(store, 'GetResourcePolicy', input.SecretId, scope)],
      run(input, scope) {
        const secret = usableSecret(store, input.SecretId, scope);
        return { ...named(secret), ...(secret.policyText === undefined ? {} : { ResourcePolicy: secret.policyText }) };
      },
    }),
    DeleteResourcePolicy: operation(onlySecret, {
      needs: (input, scope) => [secretNeed(store, 'DeleteResourcePolicy', input.SecretId, scope)],
      run(input, scope) {
        const secret = usableSecret(store, input.SecretId, scope);
        secret.policy = undefined;
        secret.policyText = undefined;
        return named(secret);
      },
    }),
  };
}

function named(secret: Secret): { ARN: string; Name: string } {
  return { ARN: secret.arn, Name: secret.name };
}
