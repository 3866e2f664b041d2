import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';

/** Reads a provider's admin key: a platform secret whose whole value is the key, as an operator puts it there. */
export function readAdminKey(client: SecretsManagerClient, secretArn: string): Promise<SecretText> {
  return aws('reading an admin key', async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    const text = SecretString?.trim();
    if (!text) throw new CordonError('AWS_REFUSED', 'the admin key is empty');
    return new SecretText(text);
  });
}
