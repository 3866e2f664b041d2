/** What a secret's value looks like in Secrets Manager, for whoever writes or reads one with the SDK. */
import { z } from 'zod';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import { isAboutKey } from './customer-key.ts';
import { type SecretPlace, type StoredVersion, secretMember } from './vault.ts';

const secretValue = z.union([z.strictObject({ apiKey: z.string().min(1) }), z.strictObject({ connectionString: z.string().min(1) })]);

export function storedText(provider: string, secret: SecretText): string {
  return JSON.stringify({ [secretMember(provider)]: secret.reveal() });
}

/** Throws CordonError AWS_REFUSED when it is not of Cordon's making. */
export function secretOfText(text: string | undefined): SecretText {
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

export function storedVersion(answer: { ARN?: string | undefined; VersionId?: string | undefined }): StoredVersion {
  if (answer.ARN === undefined || answer.VersionId === undefined)
    throw new CordonError('AWS_UNAVAILABLE', 'Secrets Manager answered without a version', { retryable: true });
  return { secretArn: answer.ARN, versionId: answer.VersionId };
}

/** The same error, or CUSTOMER_KEY_REFUSED when it is the customer's own KMS key that could not be used. */
export function tellingOfKey({ kmsKeyArn, customerKey }: Pick<SecretPlace, 'kmsKeyArn' | 'customerKey'>, error: unknown): unknown {
  if (customerKey !== true || !isAboutKey(error)) return error;
  return new CordonError(
    'CUSTOMER_KEY_REFUSED',
    `the KMS key ${kmsKeyArn} could not be used, so nothing was stored: it must be enabled, in this region, and its key policy must let this platform use it for this tenant's secrets; then send the same request again`,
  );
}
