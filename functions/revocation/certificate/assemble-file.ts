import { CordonError } from '../../shared/errors.ts';
import { type CertificateFile, certificateFormat } from './certificate.ts';
import type { StoredCertificate } from './certificate-store.ts';

/**
 * The file to hand out, from what is kept.
 *
 * @throws CordonError ITEM_NOT_UNDERSTOOD when parts are missing
 */
export function assembleFile(stored: StoredCertificate, parts: readonly string[]): CertificateFile {
  const { certificateId, header, signature, algorithm, keyArn, publicKey } = stored;
  if (parts.length !== stored.parts)
    throw new CordonError('ITEM_NOT_UNDERSTOOD', `certificate ${certificateId} has ${stored.parts} parts, and ${parts.length} are there`);
  return { format: certificateFormat, header, signature, algorithm, keyArn, publicKey, parts: [...parts] };
}
