/** Certificates as the registry has them, read by the account's root. */
import { z } from 'zod';
import { assembleFile } from '../../functions/revocation/certificate/assemble-file.ts';
import { storedCertificate, storedPart } from '../../functions/revocation/certificate/certificate-store.ts';
import { type CertificateCheck, verifyCertificate } from '../../functions/revocation/certificate/verify-certificate.ts';
import type { TestCloud } from './cloud.ts';
import { registryItem } from './supply.ts';

const parts = z.object({ parts: z.int() });

/** Checks it with the key that is in it. Rejects when it is not there. */
export async function certificateIn(test: TestCloud, tenantId: string, certificateId: string): Promise<CertificateCheck> {
  const item = await registryItem(test, tenantId, `CERTIFICATE#${certificateId}`);
  const texts: string[] = [];
  for (let number = 1; number <= parts.parse(item).parts; number += 1) {
    const sk = `CERTIFICATE-PART#${certificateId}#${String(number).padStart(4, '0')}`;
    texts.push(storedPart.parse(await registryItem(test, tenantId, sk)).text);
  }
  const stored = storedCertificate.parse(item);
  return verifyCertificate(JSON.stringify(assembleFile(stored, texts)), { publicKey: stored.publicKey });
}
