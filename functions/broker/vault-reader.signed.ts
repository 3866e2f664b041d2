import { isAboutKey } from '../credentials/customer-key.ts';
import { secretName } from '../credentials/vault.ts';
import type { InjectedSecret } from '../providers/egress-adapter.ts';
import { aws } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { callJson, isRecord } from '../shared/aws-signed-json.ts';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import { unavailable } from './unavailable.ts';
import type { VaultReader } from './vault-reader.ts';

/**
 * @param credentials of a session of one tenant, or of one of its users: IAM refuses every other path and tag
 */
export function createSignedVaultReader(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly timeoutMs: number;
}): VaultReader {
  const operation = { service: 'secretsmanager', operation: 'GetSecretValue', timeoutMs: deps.timeoutMs } as const;
  return {
    read: (tenantId, credentialId, versionId, customerKeyArn) =>
      unavailable(
        'SECRET_UNAVAILABLE',
        'The credential could not be read, so the call was not made. Try again.',
        { operation: 'secretsmanager:GetSecretValue', resource: secretName(tenantId, credentialId) },
        () =>
          aws('reading a secret', async () => {
            const input = { SecretId: secretName(tenantId, credentialId), VersionId: versionId };
            const asked = callJson(deps.send, deps.credentials, operation, input);
            const { SecretString: text } = await asked.catch((error: unknown) => {
              throw customerKeyArn !== undefined && isAboutKey(error) ? customerKeyRefused(error) : error;
            });
            return secretOf(typeof text === 'string' ? text : '');
          }),
      ),
  };
}

function customerKeyRefused(cause: unknown): CordonError {
  return new CordonError(
    'CUSTOMER_KEY_REFUSED',
    "The KMS key of the customer's own AWS account that this credential lies under could not be used, so the call was not made and nothing else was tried: " +
      "there the key is disabled or gone, or its policy no longer lets Cordon use it for this tenant's secrets.",
    { cause },
  );
}

function secretOf(text: string): InjectedSecret {
  const value = parse(text);
  const apiKey = isRecord(value) ? value['apiKey'] : undefined;
  // A line break would end the header it is sent in. Neither the text nor the parser's message, which quotes it, may get into an error.
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey))
    throw new CordonError('AWS_REFUSED', 'a secret does not hold what Cordon stores');
  return { kind: 'api-key', apiKey: new SecretText(apiKey) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
