import { describe, expect, it } from 'vitest';
import { partFormat } from '../../functions/revocation/certificate/certificate.ts';
import type { CertificateStore, NewCertificate, NewPart } from '../../functions/revocation/certificate/certificate-store.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';

export const acme = tenantId.parse('acme');
const [one, two] = ['01KAHZ3V9QXJ5T7N2M8R4W6Y0B', '01KAHZ3V9QXJ5T7N2M8R4W6Y0C'];
const common = { epoch: 0, requestedBy: 'ann', announced: true };

export function newPart(number: number, text = `{"format":"${partFormat}"}`, of = 'acme', certificateId = one): NewPart {
  return { ...common, tenantId: tenantId.parse(of), kind: 'CERTIFICATE-PART', certificateId, number, text };
}

export function newCertificate(change: Partial<NewCertificate> = {}): NewCertificate {
  return {
    ...{ ...common, tenantId: acme, kind: 'CERTIFICATE', certificateId: one, issuedAt: '2026-11-21T12:00:00.000Z', parts: 2 },
    ...{ subject: { kind: 'revocation', revocationId: 'r-1' }, revocationId: 'r-1' },
    counts: { revocations: 1, credentials: 2, versions: 3, confirmed: 2, attested: 0, unconfirmed: 1 },
    ...{ header: '{}', signature: 'MEUC', algorithm: 'ECDSA_SHA_256', keyArn: 'arn:aws:kms:x', publicKey: 'PEM' },
    ...change,
  };
}

/** What every store of certificates does. */
export function certificateStoreContract(name: string, make: () => Promise<CertificateStore>): void {
  describe(`X6 ${name} as a store of certificates`, () => {
    it('answers nothing for what was not added', async () => {
      const store = await make();
      expect(await store.certificate(acme, one)).toBeUndefined();
      expect(await store.certificates(acme)).toEqual([]);
      expect(await store.parts(acme, one)).toEqual([]);
    });

    it('answers the parts in their order, and those of no other certificate or tenant', async () => {
      const store = await make();
      for (const number of [2, 11, 1]) await store.addPart(newPart(number, `text ${number}`));
      await store.addPart(newPart(3, 'another', 'acme', two));
      await store.addPart(newPart(3, 'another', 'acme-2'));
      expect(await store.parts(acme, one)).toEqual(['text 1', 'text 2', 'text 11']);
    });

    it('takes the same part again, and no other text in its place', async () => {
      const store = await make();
      await store.addPart(newPart(1, 'text'));
      await store.addPart(newPart(1, 'text'));
      await expect(store.addPart(newPart(1, 'changed'))).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store.parts(acme, one)).toEqual(['text']);
    });

    it('keeps the first header, and answers it to whoever comes second', async () => {
      const store = await make();
      const first = await store.addCertificate(newCertificate());
      expect(first).toMatchObject({ ...newCertificate(), version: 1 });
      expect(await store.addCertificate(newCertificate({ signature: 'AAAA' }))).toEqual(first);
      expect(await store.certificate(acme, one)).toEqual(first);
    });

    it("lists a tenant's certificates in order, without their parts", async () => {
      const store = await make();
      await store.addPart(newPart(1));
      await store.addCertificate(newCertificate({ certificateId: two }));
      await store.addCertificate(newCertificate());
      await store.addCertificate(newCertificate({ tenantId: tenantId.parse('acme-2') }));
      expect((await store.certificates(acme)).map(({ certificateId }) => certificateId)).toEqual([one, two]);
    });

    it('keeps a part as large as one may be', async () => {
      const store = await make();
      const text = 'ü'.repeat(150 * 1024);
      await store.addPart(newPart(1, text));
      await store.addPart(newPart(2, text));
      await store.addPart(newPart(3, text));
      await store.addPart(newPart(4, text));
      expect(await store.parts(acme, one)).toEqual([text, text, text, text]);
    });
  });
}
