import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type Tag,
} from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import { type SecretPlace, type StoredVersion, secretMember, secretName, type Vault } from './vault.ts';

const refusals = ['AccessDenied', 'AccessDeniedException'] as const;
const secretValue = z.union([z.strictObject({ apiKey: z.string().min(1) }), z.strictObject({ connectionString: z.string().min(1) })]);

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

function stored(answer: { ARN?: string | undefined; VersionId?: string | undefined }): StoredVersion {
  if (answer.ARN === undefined || answer.VersionId === undefined)
    throw new CordonError('AWS_UNAVAILABLE', 'Secrets Manager answered without a version', { retryable: true });
  return { secretArn: answer.ARN, versionId: answer.VersionId };
}

function parseValue(text: string | undefined): SecretText {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    // Neither the text nor the parser's message, which quotes it, may get into an error.
    throw new CordonError('AWS_REFUSED', 'a secret does not hold what Cordon stores');
  }
  const parsed = secretValue.safeParse(value);
  if (!parsed.success) throw new CordonError('AWS_REFUSED', 'a secret does not hold what Cordon stores');
  return new SecretText('apiKey' in parsed.data ? parsed.data.apiKey : parsed.data.connectionString);
}

/**
 * Whether KMS is what failed. Secrets Manager passes on a refusal by the key's policy as its own, and only the message tells it from a refusal of the secret; a key that is
 * disabled or gone has errors of its own. Source: Secrets Manager API Reference, CreateSecret, "Errors"; User Guide, "Troubleshoot AWS Secrets Manager".
 */
function isAboutKey(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isAwsError(error, ...refusals)) return /access to kms|perform: kms:/i.test(error.message);
  if (isAwsError(error, 'InvalidParameterException', 'InvalidRequestException', 'ResourceNotFoundException'))
    return /\bkms\b/i.test(error.message);
  return isAwsError(error, 'EncryptionFailure', 'DecryptionFailure', 'KMSInvalidStateException', 'NotFoundException', 'DisabledException');
}

function customerKeyRefused(kmsKeyArn: string): CordonError {
  return new CordonError(
    'CUSTOMER_KEY_REFUSED',
    `the KMS key ${kmsKeyArn} could not be used, so nothing was stored: it must be enabled, in this region, and its key policy must let this platform use it for this tenant's secrets; then send the same request again`,
  );
}

/**
 * @param client a client with the credentials of a session of one tenant: IAM refuses every other tenant's path and tags
 */
export function createVault(client: SecretsManagerClient): Vault {
  return {
    store(place, secret, versionId) {
      const SecretId = secretName(place.tenantId, place.credentialId);
      const SecretString = JSON.stringify({ [secretMember(place.provider)]: secret.reveal() });
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
          return stored(created);
        } catch (error) {
          // The secret may be there from an earlier attempt. IAM may say so first: tagging is denied for a secret that has its owner already.
          if (!isAwsError(error, 'ResourceExistsException', ...refusals))
            throw place.customerKey === true && isAboutKey(error) ? customerKeyRefused(place.kmsKeyArn) : error;
          try {
            return stored(await client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: versionId })));
          } catch (second) {
            // Neither creating nor adding: then the first answer is the true one.
            const told = isAwsError(error, ...refusals) && isAwsError(second, 'ResourceNotFoundException', ...refusals) ? error : second;
            throw place.customerKey === true && isAboutKey(told) ? customerKeyRefused(place.kmsKeyArn) : told;
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
        return { secret: parseValue(found.SecretString), versionId: stored(found).versionId };
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
