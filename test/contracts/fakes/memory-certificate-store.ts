import type { CertificateStore, StoredCertificate } from '../../../functions/revocation/certificate/certificate-store.ts';
import type { Clock, NextId } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';

/** Certificates in memory. */
export function createMemoryCertificateStore({ clock, nextId }: { clock: Clock; nextId: NextId }): CertificateStore {
  const headers = new Map<string, StoredCertificate>();
  const parts = new Map<string, Map<number, string>>();
  const now = (): string => new Date(clock()).toISOString();
  return {
    async addPart({ tenantId, certificateId, number, text }) {
      const key = `${tenantId}#${certificateId}`;
      const known = parts.get(key) ?? new Map<number, string>();
      if ((known.get(number) ?? text) !== text) throw new CordonError('CONFLICT', 'another text is there');
      parts.set(key, known.set(number, text));
    },
    async addCertificate(certificate) {
      const key = `${certificate.tenantId}#${certificate.certificateId}`;
      const kept = headers.get(key) ?? { ...certificate, version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() };
      headers.set(key, kept);
      return kept;
    },
    certificate: async (tenantId, certificateId) => headers.get(`${tenantId}#${certificateId}`),
    certificates: async (tenantId) =>
      [...headers.values()].filter((item) => item.tenantId === tenantId).sort((a, b) => (a.certificateId < b.certificateId ? -1 : 1)),
    parts: async (tenantId, certificateId) =>
      [...(parts.get(`${tenantId}#${certificateId}`) ?? [])].sort(([a], [b]) => a - b).map(([, text]) => text),
  };
}
