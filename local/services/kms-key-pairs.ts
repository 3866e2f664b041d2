/**
 * KMS data key pairs: made here, the private half sealed under a symmetric key with the encryption context. Source: KMS API Reference, GenerateDataKeyPair and
 * GenerateDataKeyPairWithoutPlaintext; KMS Developer Guide, "kms:DataKeyPairSpec".
 */
import { generateKeyPair, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { notImplemented } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { enabledKey, encryptionContext, encryptionContextKeys, seal } from './kms-crypto.ts';
import { type KeyStore, keyNeed } from './kms-keys.ts';
import { operation } from './typed-operation.ts';

const generate = promisify(generateKeyPair);
const input = z.strictObject({
  KeyId: z.string().min(1).max(2048),
  KeyPairSpec: z.string(),
  EncryptionContext: encryptionContext,
});
type PairInput = z.output<typeof input>;

export function keyPairOperations(store: KeyStore): Record<string, Operation> {
  const pair = (action: string, withPlaintext: boolean): Operation =>
    operation(input, {
      needs: ({ KeyId, KeyPairSpec, EncryptionContext }, scope) => [
        keyNeed(store, action, store.resolve(KeyId, scope.accountId), scope, {
          ...encryptionContextKeys(EncryptionContext),
          'kms:DataKeyPairSpec': KeyPairSpec,
        }),
      ],
      run: (request, scope) => makePair(store, request, scope, withPlaintext),
    });
  return {
    GenerateDataKeyPair: pair('GenerateDataKeyPair', true),
    GenerateDataKeyPairWithoutPlaintext: pair('GenerateDataKeyPairWithoutPlaintext', false),
  };
}

async function makePair(store: KeyStore, request: PairInput, scope: Scope, withPlaintext: boolean): Promise<object> {
  const key = enabledKey(
    store.resolve(request.KeyId, scope.accountId),
    withPlaintext ? 'GenerateDataKeyPair' : 'GenerateDataKeyPairWithoutPlaintext',
  );
  const { publicKey, privateKey } = await makeKeys(request.KeyPairSpec);
  return {
    PublicKey: publicKey.toString('base64'),
    PrivateKeyCiphertextBlob: seal(key, privateKey, request.EncryptionContext).toString('base64'),
    ...(withPlaintext && { PrivateKeyPlaintext: privateKey.toString('base64') }),
    KeyPairSpec: request.KeyPairSpec,
    KeyId: key.arn,
  };
}

/** Public half: SubjectPublicKeyInfo, DER. Private half: PKCS #8, DER. */
async function makeKeys(spec: string): Promise<{ publicKey: Buffer; privateKey: Buffer }> {
  const { publicKey, privateKey } = await generateOf(spec);
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }) };
}

function generateOf(spec: string): Promise<KeyPairKeyObjectResult> {
  if (spec === 'ECC_NIST_P256') return generate('ec', { namedCurve: 'P-256' });
  if (spec === 'RSA_3072') return generate('rsa', { modulusLength: 3072 });
  throw notImplemented(`KMS key pairs of spec ${spec}`);
}
