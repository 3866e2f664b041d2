import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { EvidenceSigner } from './sign-evidence.ts';

/** Source: KMS API Reference, Sign: a message of any length is signed by its digest. */
export function createEvidenceSigner(kms: KMSClient): EvidenceSigner {
  return {
    sign: async (keyArn, digest) => {
      const { Signature } = await kms.send(
        new SignCommand({ KeyId: keyArn, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
      );
      if (Signature === undefined) throw new Error('KMS answered without a signature');
      return Signature;
    },
  };
}
