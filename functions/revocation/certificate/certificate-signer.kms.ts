import { createHash, createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { createEvidenceSigner } from '../../byoc/probe/evidence-signer.kms.ts';
import { aws } from '../../shared/aws-errors.ts';
import type { CertificateSigner } from './certificate-signer.ts';

/** @param keyArn an asymmetric key, ECC_NIST_P256, for SIGN_VERIFY. Its public half never changes, so it is asked for once (KMS Developer Guide, "Asymmetric keys"). */
export function createCertificateSigner(kms: KMSClient, keyArn: string): CertificateSigner {
  const signer = createEvidenceSigner(kms);
  let known: string | undefined;
  return {
    keyArn,
    async publicKey() {
      known ??= await aws('reading the public key', async () => {
        const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyArn }));
        if (PublicKey === undefined) throw new Error('KMS answered without a public key');
        const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
        return key.export({ format: 'pem', type: 'spki' }).toString();
      });
      return known;
    },
    sign: (text) =>
      aws('signing a certificate', async () => {
        const signature = await signer.sign(keyArn, createHash('sha256').update(text).digest());
        return Buffer.from(signature).toString('base64');
      }),
  };
}
