import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { aws } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import { SecretText } from '../../shared/secret-text.ts';
import type { HoneyKey } from './honey-key.ts';

/** A shorter one is none: the stack makes it with 64 characters. */
const shortest = 32;

/** @param client with the credentials of the function's own role: a secret of the platform, of no tenant */
export function createHoneyKey(client: Pick<SecretsManagerClient, 'send'>, secretArn: string): HoneyKey {
  let known: SecretText | undefined;
  return () =>
    aws('reading the key to the names of decoys', async () => {
      if (known !== undefined) return known;
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
      if (SecretString.length < shortest) throw new CordonError('AWS_REFUSED', 'the key to the names of decoys is not there');
      known = new SecretText(SecretString);
      return known;
    });
}
