import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { issueCertificate } from './certificate/issue-certificate.ts';
import type { CertificateRequested } from './events.ts';
import type { RevocationDeps } from './revocation-deps.ts';

/**
 * Makes a certificate of what the registry says now, and tells where it lies. Of the same event, and with nothing changed since, it is the same one.
 *
 * @throws CordonError TENANT_UNKNOWN, and as `issueCertificate`
 */
export async function requestCertificate(deps: RevocationDeps, event: CertificateRequested, delivery: Delivery): Promise<void> {
  const { tenantId, requestedBy, of } = event;
  const stores = await deps.openStores(tenantId);
  const tenant = await stores.registry.tenant(tenantId);
  if (!tenant) throw new CordonError('TENANT_UNKNOWN', `tenant ${tenantId} is not onboarded`);
  const requestId = delivery.eventId;
  const order = { stores, tenant, of, requestedBy, requestId, now: deps.clock() };
  const { certificateId, counts } = await issueCertificate(deps, order);
  await deps.announcer.announce('CertificateIssued', { version: 1, tenantId, certificateId, requestedBy, requestId, counts });
}
