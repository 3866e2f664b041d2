import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { SecretText } from '../../shared/secret-text.ts';

/** @returns reads the platform's secret; undefined while it has no value. Rejects as any call to AWS does. */
export function createReadIdentity(client: Pick<SecretsManagerClient, 'send'>, secretArn: string): () => Promise<SecretText | undefined> {
  return () =>
    aws('reading the canaries’ identity', async () => {
      try {
        const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
        return SecretString === undefined ? undefined : new SecretText(SecretString);
      } catch (error) {
        // Also what Secrets Manager says of a secret that was made without a value: it has no current version.
        if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    });
}
