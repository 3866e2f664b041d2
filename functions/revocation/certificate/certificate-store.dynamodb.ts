import { CordonError } from '../../shared/errors.ts';
import { createRegistryItems, type RegistryItemsDeps } from '../../shared/registry-items.dynamodb.ts';
import { type CertificateStore, type StoredCertificate, type StoredPart, storedCertificate, storedPart } from './certificate-store.ts';

const prefix = 'CERTIFICATE#';
/** Sorted as text, so that parts come in their order. */
const digits = 4;

function partPrefix(certificateId: string): string {
  return `CERTIFICATE-PART#${certificateId}#`;
}

/** @param deps.client a client with the credentials of a session of the one tenant */
export function createCertificateStore(deps: RegistryItemsDeps): CertificateStore {
  const items = createRegistryItems(deps);

  /** Adds it unless there is one; what is there otherwise. */
  async function added<Found>(add: () => Promise<unknown>, found: () => Promise<Found | undefined>): Promise<Found | undefined> {
    try {
      await add();
      return undefined;
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'CONFLICT') throw error;
      const there = await found();
      if (there === undefined) throw error;
      return there;
    }
  }

  return {
    async addPart(part) {
      const sk = `${partPrefix(part.certificateId)}${String(part.number).padStart(digits, '0')}`;
      const there = await added(
        () => items.add<StoredPart>(sk, { ...part, ...items.added() }),
        () => items.get(storedPart, part.tenantId, sk),
      );
      if (there !== undefined && there.text !== part.text)
        throw new CordonError('CONFLICT', `part ${part.number} of certificate ${part.certificateId} is there with another text`);
    },
    async addCertificate(certificate) {
      const item = { ...certificate, ...items.added() };
      const sk = `${prefix}${certificate.certificateId}`;
      const there = await added(
        () => items.add<StoredCertificate>(sk, item),
        () => items.get(storedCertificate, certificate.tenantId, sk),
      );
      return there ?? item;
    },
    certificate: (tenantId, certificateId) => items.get(storedCertificate, tenantId, `${prefix}${certificateId}`),
    certificates: (tenantId) => items.list(storedCertificate, tenantId, prefix),
    parts: async (tenantId, certificateId) => (await items.list(storedPart, tenantId, partPrefix(certificateId))).map(({ text }) => text),
  };
}
