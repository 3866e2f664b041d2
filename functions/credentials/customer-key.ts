import { isAwsError } from '../shared/aws-errors.ts';

const refusals = ['AccessDenied', 'AccessDeniedException'] as const;

/**
 * Whether KMS is what failed. Secrets Manager passes on a refusal by the key's policy as its own, and only the message tells it from a refusal of the secret; a key that is
 * disabled or gone has errors of its own. Source: Secrets Manager API Reference, CreateSecret, "Errors"; User Guide, "Troubleshoot AWS Secrets Manager".
 */
export function isAboutKey(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isAwsError(error, ...refusals)) return /access to kms|perform: kms:/i.test(error.message);
  if (isAwsError(error, 'InvalidParameterException', 'InvalidRequestException', 'ResourceNotFoundException'))
    return /\bkms\b/i.test(error.message);
  return isAwsError(error, 'EncryptionFailure', 'DecryptionFailure', 'KMSInvalidStateException', 'NotFoundException', 'DisabledException');
}
