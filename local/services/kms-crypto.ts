/** KMS cryptographic operations: AES-256-GCM with the encryption context as additional data. Source: KMS Cryptographic Details, "Encrypt" and "Decrypt". */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { existingKey, type Key, type KeyReference, type KeyStore, keyNeed } from './kms-keys.ts';
import type { Purpose } from './kms-purpose.ts';
import type { ConditionContext } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const blobVersion = 1;
const ivLength = 12;
const macLength = 16;

type EncryptionContext = Readonly<Record<string, string>>;
export const encryptionContext = z.record(z.string().min(1), z.string()).optional();
const keyId = z.string().min(1).max(2048);
const blob = z.base64().min(1);
const symmetric = z.literal('SYMMETRIC_DEFAULT').optional();
const dataKeyInput = {
  KeyId: keyId,
  EncryptionContext: encryptionContext,
  KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
  NumberOfBytes: z.number().int().min(1).max(1024).optional(),
};

export function cryptoOperations(store: KeyStore): Record<string, Operation> {
  const needs = (action: string, reference: KeyReference, context: EncryptionContext | undefined, scope: Scope): readonly Need[] => [
    keyNeed(store, action, reference, scope, { ...encryptionContextKeys(context), 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' }),
  ];
  const dataKey = (
    input: { KeyId: string; EncryptionContext?: EncryptionContext; KeySpec?: string; NumberOfBytes?: number },
    scope: Scope,
    action: string,
  ): { key: Key; plaintext: Buffer; sealed: Buffer } => {
    if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
      throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
    }
    const key = enabledKey(store.resolve(input.KeyId, scope.accountId), action);
    const plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32));
    return { key, plaintext, sealed: seal(key, plaintext, input.EncryptionContext) };
  };
  return {
    Encrypt: operation(
      z.strictObject({ KeyId: keyId, Plaintext: blob, EncryptionContext: encryptionContext, EncryptionAlgorithm: symmetric }),
      {
        needs: (input, scope) => needs('Encrypt', store.resolve(input.KeyId, scope.accountId), input.EncryptionContext, scope),
        run: (input, scope) => {
          const plaintext = Buffer.from(input.Plaintext, 'base64');
          if (plaintext.length > 4096) throw new AwsError('ValidationException', 'Plaintext must be at most 4096 bytes.');
          const key = enabledKey(store.resolve(input.KeyId, scope.accountId), 'Encrypt');
          return {
            CiphertextBlob: seal(key, plaintext, input.EncryptionContext).toString('base64'),
            KeyId: key.arn,
            EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
          };
        },
      },
    ),
    Decrypt: operation(
      z.strictObject({
        KeyId: keyId.optional(),
        CiphertextBlob: blob,
        EncryptionContext: encryptionContext,
        EncryptionAlgorithm: symmetric,
      }),
      {
        // The key that counts is the one in the ciphertext; a KeyId in the request can only narrow it.
        needs: (input, scope) => {
          const reference = store.resolve(keyArnOf(input.CiphertextBlob), scope.accountId);
          const alias = input.KeyId === undefined ? undefined : store.resolve(input.KeyId, scope.accountId).alias;
          return needs('Decrypt', { ...reference, alias }, input.EncryptionContext, scope);
        },
        run: (input, scope) => {
          const reference = store.resolve(keyArnOf(input.CiphertextBlob), scope.accountId);
          if (input.KeyId !== undefined && store.resolve(input.KeyId, scope.accountId).key?.arn !== reference.arn) {
            throw new AwsError(
              'IncorrectKeyException',
              'The key ID in the request does not identify a CMK that can perform this operation.',
            );
          }
          const key = enabledKey(reference, 'Decrypt');
          return {
            Plaintext: open(key, input.CiphertextBlob, input.EncryptionContext).toString('base64'),
            KeyId: key.arn,
            EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
          };
        },
      },
    ),
    GenerateDataKey: operation(z.strictObject(dataKeyInput), {
      needs: (input, scope) => needs('GenerateDataKey', store.resolve(input.KeyId, scope.accountId), input.EncryptionContext, scope),
      run: (input, scope) => {
        const { key, plaintext, sealed } = dataKey(input, scope, 'GenerateDataKey');
        return { CiphertextBlob: sealed.toString('base64'), Plaintext: plaintext.toString('base64'), KeyId: key.arn };
      },
    }),
    GenerateDataKeyWithoutPlaintext: operation(z.strictObject(dataKeyInput), {
      needs: (input, scope) =>
        needs('GenerateDataKeyWithoutPlaintext', store.resolve(input.KeyId, scope.accountId), input.EncryptionContext, scope),
      run: (input, scope) => {
        // AWS reads a missing KeySpec and NumberOfBytes as AES_256 here, unlike in GenerateDataKey.
        const { key, sealed } = dataKey(
          input.KeySpec === undefined && input.NumberOfBytes === undefined ? { ...input, KeySpec: 'AES_256' } : input,
          scope,
          'GenerateDataKeyWithoutPlaintext',
        );
        return { CiphertextBlob: sealed.toString('base64'), KeyId: key.arn };
      },
    }),
  };
}

/** One condition key per pair, and the list of names, absent when there is no context (KMS Developer Guide, "kms:EncryptionContext:context-key"). */
export function encryptionContextKeys(context: EncryptionContext | undefined): ConditionContext {
  const pairs = Object.entries(context ?? {});
  if (pairs.length === 0) return {};
  return {
    ...Object.fromEntries(pairs.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
    'kms:EncryptionContextKeys': pairs.map(([name]) => name),
  };
}

/** A key that may be used for `action`, an operation of KMS. Throws AwsError: NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException. */
export function enabledKey(reference: KeyReference, action: string, usage: Purpose['usage'] = 'ENCRYPT_DECRYPT'): Key {
  const key = existingKey(reference);
  if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  if (key.state === 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  if (key.purpose.usage !== usage) {
    throw new AwsError('InvalidKeyUsageException', `${key.arn} key usage is ${key.purpose.usage} which is not valid for ${action}.`);
  }
  return key;
}

/** Encrypts under the key: its ARN stands in front, as AWS's ciphertexts name their key too. */
export function seal(key: Key, plaintext: Buffer, context: EncryptionContext | undefined): Buffer {
  const iv = randomBytes(ivLength);
  const arn = Buffer.from(key.arn);
  const header = Buffer.alloc(3);
  header.writeUInt8(blobVersion, 0);
  header.writeUInt16BE(arn.length, 1);
  const cipher = createCipheriv('aes-256-gcm', key.material, iv).setAAD(additionalData(key.arn, context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, arn, iv, cipher.getAuthTag(), sealed]);
}

function open(key: Key, ciphertext: string, context: EncryptionContext | undefined): Buffer {
  const bytes = Buffer.from(ciphertext, 'base64');
  const start = 3 + bytes.readUInt16BE(1);
  const iv = bytes.subarray(start, start + ivLength);
  const mac = bytes.subarray(start + ivLength, start + ivLength + macLength);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.material, iv, { authTagLength: macLength })
      .setAAD(additionalData(key.arn, context))
      .setAuthTag(mac);
    return Buffer.concat([decipher.update(bytes.subarray(start + ivLength + macLength)), decipher.final()]);
  } catch {
    // A wrong context and a damaged ciphertext look alike, as in AWS, which answers both without a message.
    throw new AwsError('InvalidCiphertextException', '');
  }
}

function keyArnOf(ciphertext: string): string {
  const bytes = Buffer.from(ciphertext, 'base64');
  const length = bytes.length >= 3 && bytes[0] === blobVersion ? bytes.readUInt16BE(1) : 0;
  const arn = bytes.subarray(3, 3 + length).toString();
  if (length === 0 || bytes.length < 3 + length + ivLength + macLength || !/^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(arn)) {
    throw new AwsError('InvalidCiphertextException', '');
  }
  return arn;
}

/** Canonical: the order of pairs does not matter, their names and values do, to the byte. */
function additionalData(keyArn: string, context: EncryptionContext | undefined): Buffer {
  const pairs = Object.entries(context ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return Buffer.from(JSON.stringify([keyArn, pairs]));
}
