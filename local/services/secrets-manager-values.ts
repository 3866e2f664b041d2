/**
 * Secret values at rest: each version has its own data key under the secret's KMS key, bound to secret and version by the encryption context.
 * Every KMS call is made as the caller, so that key policy and IAM decide on it. Source: Secrets Manager User Guide, "Secret encryption and decryption".
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Scope } from '../core/service.ts';

/** What a request brings: exactly one of the two; `binary` is base64. */
export type PlainValue = { readonly kind: 'string'; readonly value: string } | { readonly kind: 'binary'; readonly value: string };

export interface SealedValue {
  readonly kind: PlainValue['kind'];
  readonly dataKey: string;
  readonly iv: Buffer;
  readonly mac: Buffer;
  readonly bytes: Buffer;
  /** Tells a repeated value from another one without keeping or decrypting it. */
  readonly fingerprint: string;
}

const maxBytes = 65_536;
const fingerprintKey = randomBytes(32);
const dataKeyAnswer = z.object({ Plaintext: z.base64(), CiphertextBlob: z.base64() });
const decryptAnswer = z.object({ Plaintext: z.base64() });

/** Reads the value of a request, or undefined when it brings none. Throws InvalidParameterException for both at once, ValidationException beyond 64 KiB. */
export function plainValue(input: { SecretString?: string | undefined; SecretBinary?: string | undefined }): PlainValue | undefined {
  const { SecretString, SecretBinary } = input;
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw new AwsError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (SecretString !== undefined) return limited({ kind: 'string', value: SecretString });
  return SecretBinary === undefined ? undefined : limited({ kind: 'binary', value: SecretBinary });
}

export function fingerprintOf(value: PlainValue): string {
  return createHmac('sha256', fingerprintKey).update(value.kind).update('\0').update(value.value).digest('base64');
}

export async function sealValue(
  scope: Scope,
  kmsKeyArn: string,
  secretArn: string,
  versionId: string,
  value: PlainValue,
): Promise<SealedValue> {
  const EncryptionContext = { SecretARN: secretArn, SecretVersionId: versionId };
  const key = dataKeyAnswer.parse(
    await scope.callVia('kms', 'GenerateDataKey', { KeyId: kmsKeyArn, KeySpec: 'AES_256', EncryptionContext }),
  );
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.Plaintext, 'base64'), iv);
  const bytes = Buffer.concat([cipher.update(bytesOf(value)), cipher.final()]);
  return { kind: value.kind, dataKey: key.CiphertextBlob, iv, mac: cipher.getAuthTag(), bytes, fingerprint: fingerprintOf(value) };
}

/** Answers the member that GetSecretValue shows: `{SecretString}` or `{SecretBinary}`. */
export async function openValue(
  scope: Scope,
  secretArn: string,
  versionId: string,
  sealed: SealedValue,
): Promise<{ SecretString: string } | { SecretBinary: string }> {
  const EncryptionContext = { SecretARN: secretArn, SecretVersionId: versionId };
  const key = decryptAnswer.parse(await scope.callVia('kms', 'Decrypt', { CiphertextBlob: sealed.dataKey, EncryptionContext }));
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.Plaintext, 'base64'), sealed.iv, { authTagLength: 16 }).setAuthTag(
    sealed.mac,
  );
  const bytes = Buffer.concat([decipher.update(sealed.bytes), decipher.final()]);
  return sealed.kind === 'string' ? { SecretString: bytes.toString() } : { SecretBinary: bytes.toString('base64') };
}

/**
 * When a secret is given its key, Secrets Manager tries it first: it must let the caller both generate a data key and decrypt it. So whoever
 * creates secrets needs kms:Decrypt through Secrets Manager, though not secretsmanager:GetSecretValue (same chapter, "Validating access to the KMS key").
 */
export async function validateKeyAccess(scope: Scope, kmsKeyArn: string, secretArn: string): Promise<void> {
  const EncryptionContext = { SecretARN: secretArn, SecretVersionId: 'RequestToValidateKeyAccess' };
  const key = dataKeyAnswer.parse(
    await scope.callVia('kms', 'GenerateDataKey', { KeyId: kmsKeyArn, KeySpec: 'AES_256', EncryptionContext }),
  );
  await scope.callVia('kms', 'Decrypt', { CiphertextBlob: key.CiphertextBlob, EncryptionContext });
}

function limited(value: PlainValue): PlainValue {
  if (bytesOf(value).length > maxBytes) throw new AwsError('ValidationException', `A secret value has at most ${maxBytes} bytes.`);
  return value;
}

function bytesOf(value: PlainValue): Buffer {
  return Buffer.from(value.value, value.kind === 'binary' ? 'base64' : 'utf8');
}
