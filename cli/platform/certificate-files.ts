import { assembleFile } from '../../functions/revocation/certificate/assemble-file.ts';
import type { CertificateFile } from '../../functions/revocation/certificate/certificate.ts';
import { createCertificateStore } from '../../functions/revocation/certificate/certificate-store.dynamodb.ts';
import type { CertificateStore } from '../../functions/revocation/certificate/certificate-store.ts';
import { createIds } from '../../functions/shared/clock.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError } from '../command-error.ts';

type Place = Pick<Cloud, 'dynamodb' | 'registryTable'>;

function storeOf({ dynamodb: client, registryTable: table }: Place): CertificateStore {
  // Clock and IDs are for writing, which the operator may not.
  const clock = (): number => Date.now();
  return createCertificateStore({ client, table, clock, nextId: createIds(clock) });
}

/**
 * A certificate of the tenant's, put together from its parts.
 *
 * @throws CommandError NO_CERTIFICATE; CordonError as `CertificateStore`
 */
export async function readCertificateFile(
  { dynamodb, registryTable }: Place,
  tenantId: TenantId,
  certificateId: string,
): Promise<CertificateFile> {
  const store = storeOf({ dynamodb, registryTable });
  const stored = await store.certificate(tenantId, certificateId);
  if (stored === undefined) throw new CommandError('NO_CERTIFICATE', `${tenantId} has no certificate ${certificateId}.`);
  return assembleFile(stored, await store.parts(tenantId, certificateId));
}

/** Every certificate of the tenant's, oldest first. Throws CordonError as `CertificateStore`. */
export async function* everyCertificateFile(place: Place, tenantId: TenantId): AsyncIterable<CertificateFile> {
  const store = storeOf(place);
  for (const stored of await store.certificates(tenantId)) yield assembleFile(stored, await store.parts(tenantId, stored.certificateId));
}
