/** KMS signing keys: Sign, Verify, GetPublicKey. Sources: KMS API Reference of the three; KMS Developer Guide, "Key spec reference", "Condition keys". */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { enabledKey } from './kms-crypto.ts';
import { isSignatureOf, signDigest } from './kms-ecdsa.ts';
import { existingKey, type KeyStore, keyNeed, type SigningMaterial } from './kms-keys.ts';
import { operation } from './typed-operation.ts';

const algorithm = 'ECDSA_SHA_256';
/** Every algorithm KMS knows: one that does not fit the key is refused as KMS does, one that is unknown is a mistake of another kind. */
const algorithms = z.enum([
  algorithm,
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
]);
const members = {
  KeyId: z.string().min(1).max(2048),
  Message: z.base64().min(1),
  MessageType: z.enum(['RAW', 'DIGEST']).default('RAW'),
  SigningAlgorithm: algorithms,
};
const signInput = z.strictObject(members);
const verifyInput = z.strictObject({ ...members, Signature: z.base64().min(1) });
type SignInput = z.output<typeof signInput>;

const maxMessageBytes = 4096;
const digestBytes = 32;

export function signingOperations(store: KeyStore): Record<string, Operation> {
  const needsOf =
    (action: string) =>
    (input: SignInput, scope: Scope): readonly Need[] => [
      keyNeed(store, action, store.resolve(input.KeyId, scope.accountId), scope, {
        'kms:MessageType': input.MessageType,
        'kms:SigningAlgorithm': input.SigningAlgorithm,
      }),
    ];
  return {
    Sign: operation(signInput, {
      needs: needsOf('Sign'),
      run: (input, scope) => {
        const { arn, signing } = signingKey(store, 'Sign', input, scope);
        const signature = signDigest(signing.privateKey, digestOf(input));
        return { KeyId: arn, Signature: signature.toString('base64'), SigningAlgorithm: input.SigningAlgorithm };
      },
    }),
    Verify: operation(verifyInput, {
      needs: needsOf('Verify'),
      run: (input, scope) => {
        const { arn, signing } = signingKey(store, 'Verify', input, scope);
        if (!isSignatureOf(signing.privateKey, digestOf(input), Buffer.from(input.Signature, 'base64')))
          throw new AwsError('KMSInvalidSignatureException', 'The signature could not be verified.');
        return { KeyId: arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
      },
    }),
    GetPublicKey: operation(z.strictObject({ KeyId: members.KeyId }), {
      needs: (input, scope) => [keyNeed(store, 'GetPublicKey', store.resolve(input.KeyId, scope.accountId), scope)],
      run: (input, scope) => {
        const key = existingKey(store.resolve(input.KeyId, scope.accountId));
        if (key.signing === undefined)
          throw new AwsError('UnsupportedOperationException', `${key.arn} is a symmetric key: it has no public key.`);
        const { spec, usage } = key.purpose;
        enabledKey({ key, arn: key.arn, accountId: key.accountId, alias: undefined }, 'GetPublicKey', usage);
        return {
          KeyId: key.arn,
          PublicKey: key.signing.publicKey.toString('base64'),
          CustomerMasterKeySpec: spec,
          KeySpec: spec,
          KeyUsage: usage,
          SigningAlgorithms: [algorithm],
        };
      },
    }),
  };
}

/** Throws AwsError: NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException (key, or algorithm, of another kind). */
function signingKey(store: KeyStore, action: string, input: SignInput, scope: Scope): { arn: string; signing: SigningMaterial } {
  const { arn, purpose, signing } = enabledKey(store.resolve(input.KeyId, scope.accountId), action, 'SIGN_VERIFY');
  if (signing === undefined) throw notImplemented(`KMS ${action} with keys of spec ${purpose.spec}`);
  if (input.SigningAlgorithm !== algorithm) {
    const message = `Algorithm ${input.SigningAlgorithm} is incompatible with key spec ${purpose.spec}.`;
    throw new AwsError('InvalidKeyUsageException', message);
  }
  return { arn, signing };
}

function digestOf({ Message, MessageType }: SignInput): Buffer {
  const message = Buffer.from(Message, 'base64');
  if (MessageType === 'RAW') {
    if (message.length > maxMessageBytes) throw new AwsError('ValidationException', `Message must be at most ${maxMessageBytes} bytes.`);
    return createHash('sha256').update(message).digest();
  }
  if (message.length !== digestBytes) throw new AwsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
  return message;
}
