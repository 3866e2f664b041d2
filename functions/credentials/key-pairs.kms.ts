import { DecryptCommand, GenerateDataKeyPairWithoutPlaintextCommand, type KMSClient } from '@aws-sdk/client-kms';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import type { KeyPairs } from './key-pairs.ts';

/**
 * Source: KMS API Reference, GenerateDataKeyPairWithoutPlaintext and Decrypt. IAM compares the encryption context with the session's tenant; a private key that was
 * made for one tenant does not open under another's context. P-256 because KMS makes a hundred such pairs a second and an RSA pair every other second
 * (KMS Developer Guide, "Request quotas").
 *
 * @param client a client with the credentials of a TenantSupplier session of the one tenant
 */
export function createKeyPairs(client: KMSClient): KeyPairs {
  return {
    make: (tenantId, kmsKeyArn) =>
      aws('making a key pair', async () => {
        const made = await client.send(
          new GenerateDataKeyPairWithoutPlaintextCommand({
            KeyId: kmsKeyArn,
            KeyPairSpec: 'ECC_NIST_P256',
            EncryptionContext: { TenantId: tenantId },
          }),
        );
        if (made.PublicKey === undefined || made.PrivateKeyCiphertextBlob === undefined)
          throw new CordonError('AWS_UNAVAILABLE', 'KMS answered without a key pair', { retryable: true });
        return { publicKey: made.PublicKey, privateKey: made.PrivateKeyCiphertextBlob };
      }),
    open: (tenantId, kmsKeyArn, privateKey) =>
      aws('opening a private key', async () => {
        const opened = await client.send(
          new DecryptCommand({ KeyId: kmsKeyArn, CiphertextBlob: privateKey, EncryptionContext: { TenantId: tenantId } }),
        );
        if (opened.Plaintext === undefined) throw new CordonError('AWS_UNAVAILABLE', 'KMS answered without a key', { retryable: true });
        const { buffer, byteOffset, byteLength } = opened.Plaintext;
        return Buffer.from(buffer, byteOffset, byteLength);
      }),
  };
}
