import { generateKeyPairSync } from 'node:crypto';
import type { KeyPairs } from '../../../functions/credentials/key-pairs.ts';
import { CordonError } from '../../../functions/shared/errors.ts';

/** Key pairs whose private half opens only for the tenant and under the key that it was made for. */
export function createMemoryKeyPairs(): KeyPairs {
  const kept = new Map<string, Buffer>();
  return {
    async make(tenantId, kmsKeyArn) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const name = `${kept.size}`;
      kept.set(`${tenantId} ${kmsKeyArn} ${name}`, privateKey.export({ type: 'pkcs8', format: 'der' }));
      return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey: Buffer.from(name) };
    },
    async open(tenantId, kmsKeyArn, privateKey) {
      const found = kept.get(`${tenantId} ${kmsKeyArn} ${Buffer.from(privateKey).toString()}`);
      if (!found) throw new CordonError('ACCESS_REFUSED', 'opening a private key was refused by IAM');
      return Buffer.from(found);
    },
  };
}
