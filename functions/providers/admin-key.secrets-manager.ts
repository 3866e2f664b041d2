import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import type { ProviderName } from './provider-name.ts';

/**
 * Reads a provider's admin key: a platform secret as an operator puts it there, in the form that the provider's adapter describes.
 *
 * @returns a reader for `createProviders`; it rejects with CordonError PROVIDER_UNAVAILABLE (retryable) while the secret has no value, and as any call to AWS does
 */
export function createAdminKeyReader(
  client: Pick<SecretsManagerClient, 'send'>,
): (provider: ProviderName, secretArn: string) => Promise<SecretText> {
  return (provider, secretArn) =>
    aws(`reading the admin key of ${provider}`, async () => {
      const text = await client.send(new GetSecretValueCommand({ SecretId: secretArn })).then(
        ({ SecretString }) => SecretString?.trim(),
        (error: unknown) => {
          // Also what Secrets Manager says of a secret that was made without a value: it has no current version.
          if (isAwsError(error, 'ResourceNotFoundException')) return undefined;
          throw error;
        },
      );
      if (text) return new SecretText(text);
      throw new CordonError('PROVIDER_UNAVAILABLE', `the admin secret of ${provider} has no value yet: an operator has to put one there`, {
        retryable: true,
      });
    });
}
