import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type Tag,
} from '@aws-sdk/client-secrets-manager';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { secretOfText, storedText, storedVersion, tellingOfKey } from './stored-secret.ts';
import { type SecretPlace, secretName, type Vault } from './vault.ts';

const refusals = ['AccessDenied', 'AccessDeniedException'] as const;

function tagsOf(place: SecretPlace): Tag[] {
  const tags = {
    TenantId: place.tenantId,
    CredentialId: place.credentialId,
    Provider: place.provider,
    Tier: place.tier,
    Environment: place.environment,
    UserId: place.userId,
    Team: place.team,
    UseCase: place.useCase,
  };
  return Object.entries(tags).flatMap(([Key, Value]) => (Value === undefined ? [] : [{ Key, Value }]));
}

/**
 * @param client a client with the credentials of a session of one tenant: IAM refuses every other tenant's path and tags
 */
export function createVault(client: SecretsManagerClient): Vault {
  return {
    store(place, secret, versionId) {
      const SecretId = secretName(place.tenantId, place.credentialId);
      const SecretString = storedText(place.provider, secret);
      return aws('storing a secret', async () => {
        try {
          const created = await client.send(
            new CreateSecretCommand({
              Name: SecretId,
              SecretString,
              ClientRequestToken: versionId,
              KmsKeyId: place.kmsKeyArn,
              Tags: tagsOf(place),
            }),
          );
          return storedVersion(created);
        } catch (error) {
          // The secret may be there from an earlier attempt. IAM may say so first: tagging is denied for a secret that has its owner already.
          if (!isAwsError(error, 'ResourceExistsException', ...refusals)) throw tellingOfKey(place, error);
          try {
            return storedVersion(await client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: versionId })));
          } catch (second) {
            // Neither creating nor adding: then the first answer is the true one.
            const told = isAwsError(error, ...refusals) && isAwsError(second, 'ResourceNotFoundException', ...refusals) ? error : second;
            throw tellingOfKey(place, told);
          }
        }
      });
    },

    describe(tenantId, credentialId) {
      return aws('describing a secret', async () => {
        try {
          const found = await client.send(new DescribeSecretCommand({ SecretId: secretName(tenantId, credentialId) }));
          if (found.ARN === undefined || found.DeletedDate !== undefined) return undefined;
          const tags = Object.fromEntries((found.Tags ?? []).map((tag) => [tag.Key ?? '', tag.Value ?? '']));
          return { secretArn: found.ARN, tags, kmsKeyArn: found.KmsKeyId, versions: found.VersionIdsToStages ?? {} };
        } catch (error) {
          if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
          throw error;
        }
      });
    },

    read(tenantId, credentialId, label = 'AWSCURRENT') {
      return aws('reading a secret', async () => {
        const found = await client.send(new GetSecretValueCommand({ SecretId: secretName(tenantId, credentialId), VersionStage: label }));
        return { secret: secretOfText(found.SecretString), versionId: storedVersion(found).versionId };
      });
    },

    remove(tenantId, credentialId) {
      return aws('deleting a secret', async () => {
        try {
          // A recovery window would keep the name taken, so that the tenant could not be onboarded again; the key inside is dead already.
          await client.send(new DeleteSecretCommand({ SecretId: secretName(tenantId, credentialId), ForceDeleteWithoutRecovery: true }));
        } catch (error) {
          if (!isAwsError(error, 'ResourceNotFoundException')) throw error;
        }
      });
    },
  };
}
