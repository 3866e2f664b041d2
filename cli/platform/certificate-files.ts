import { assembleFile } from '../../functions/revocation/certificate/assemble-file.ts';
import type { CertificateFile } from '../../functions/revocation/certificate/certificate.ts';
import { createCertificateStore } from '../../functions/revocation/certificate/certificate-store.dynamodb.ts';
import { createIds } from '../../functions/shared/clock.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError } from '../command-error.ts';

/**
 * A certificate of the tenant's, put together from its parts.
 *
 * @throws CommandError NO_CERTIFICATE; CordonError as `CertificateStore`
 */
export async function readCertificateFile(
  { dynamodb, registryTable }: Cloud,
  tenantId: TenantId,
  certificateId: string,
): Promise<CertificateFile> {
  // Clock and IDs are for writing, which the operator may not.
  const clock = (): number => Date.now();
  const store = createCertificateStore({ client: dynamodb, table: registryTable, clock, nextId: createIds(clock) });
  const stored = await store.certificate(tenantId, certificateId);
  if (stored === undefined) throw new CommandError('NO_CERTIFICATE', `${tenantId} has no certificate ${certificateId}.`);
  return assembleFile(stored, await store.parts(tenantId, certificateId));
}
