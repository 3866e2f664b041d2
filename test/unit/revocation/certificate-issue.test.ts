import { beforeEach, describe, expect, it } from 'vitest';
import { assembleFile } from '../../../functions/revocation/certificate/assemble-file.ts';
import type { CertificateSigner } from '../../../functions/revocation/certificate/certificate-signer.ts';
import {
  type CertificateOrder,
  type CertificateStores,
  issueCertificate,
} from '../../../functions/revocation/certificate/issue-certificate.ts';
import { verifyCertificate } from '../../../functions/revocation/certificate/verify-certificate.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { Crash, createFaults, type Fault, type Faults } from '../../contracts/fakes/faults.ts';
import {
  aCredentialItem,
  acme,
  anEnding,
  aRevocation,
  aSigner,
  aTenant,
  confirmedVersion,
  revokedAt,
  storesOf,
} from '../../support/certificates.ts';

const signer = aSigner();
const now = revokedAt + 10_000;
const many = Array.from({ length: 700 }, (_, n) =>
  aCredentialItem(`c-${n}`, { ending: anEnding({ versions: [confirmedVersion(String(n))] }) }),
);

let stores: CertificateStores;
let faults: Faults;
beforeEach(() => {
  stores = storesOf({ revocations: [aRevocation()], credentials: many });
  faults = createFaults();
});
const order = (change: Partial<CertificateOrder> = {}): CertificateOrder => ({
  ...{ stores, tenant: aTenant(), of: { revocationId: 'r-1' }, requestedBy: 'ops', revocationId: 'r-1', now },
  ...change,
});
const issue = (change: Partial<CertificateOrder> = {}, by: CertificateSigner = signer) => issueCertificate({ signer: by }, order(change));
async function stored() {
  const found = await stores.certificates.certificates(acme);
  return Promise.all(found.map(async (one) => ({ one, parts: await stores.certificates.parts(acme, one.certificateId) })));
}

describe('X6 issuing a certificate', () => {
  it('keeps one that can be verified, and answers its counts as the event has them', async () => {
    const { certificateId, counts } = await issue();
    expect(counts).toEqual({ credentials: 700, versions: 700, confirmed: 700, unconfirmed: 0 });
    const [found] = await stored();
    expect(found?.one).toMatchObject({
      certificateId,
      tenantId: 'acme',
      revocationId: 'r-1',
      requestedBy: 'ops',
      issuedAt: new Date(now).toISOString(),
    });
    if (!found) throw new Error('nothing is stored');
    const { ok, header } = verifyCertificate(JSON.stringify(assembleFile(found.one, found.parts)), { publicKey: signer.pem });
    expect([ok, header?.complete, header?.tenant]).toEqual([
      true,
      true,
      { tenantId: 'acme', displayName: 'Acme & Sons', tier: 'pool', status: 'offboarded' },
    ]);
  });

  it('makes the same one for the same facts and the same request, and another for any other', async () => {
    const first = await issue();
    expect(await issue({ now: now + 60_000 })).toEqual(first);
    const others = [
      await issue({ requestedBy: 'another' }),
      await issue({ requestId: 'e-1' }),
      await issue({ of: { tenant: true } }),
      await issue({ stores: { ...stores, revocations: { revocations: async () => [aRevocation({ reason: 'another' })] } } }),
    ];
    expect(new Set([first, ...others].map(({ certificateId }) => certificateId)).size).toBe(5);
    expect(await stored()).toHaveLength(5);
  });

  it('names a user as the tenant has registered them', async () => {
    const ann = { issuer: 'https://idp.example', subject: 'ann' };
    const of = { userId: userIdOf(ann.issuer, ann.subject) };
    const user = { ...aTenant(), ...ann, ...of, kind: 'USER' as const, status: 'offboarded' as const };
    await issue({ of, stores: { ...stores, registry: { ...stores.registry, user: async () => user } } });
    expect((await stored())[0]?.one.subject).toEqual({ kind: 'user', ...of, ...ann });
  });

  it('keeps nothing that its own key does not verify', async () => {
    const { pem } = aSigner();
    await expect(issue({}, { ...signer, publicKey: async () => pem })).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
    expect(await stored()).toEqual([]);
  });

  it('is never handed out in part', async () => {
    await issue();
    const [found] = await stored();
    if (!found) throw new Error('nothing is stored');
    expect(() => assembleFile(found.one, found.parts.slice(1))).toThrow(expect.objectContaining({ code: 'ITEM_NOT_UNDERSTOOD' }));
  });
});

describe('X6 a certificate and every single fault', () => {
  const attempt = () =>
    issueCertificate(
      { signer: faults.through('signer', signer) },
      order({
        stores: {
          registry: faults.through('registry', stores.registry),
          revocations: faults.through('revocations', stores.revocations),
          certificates: faults.through('certificates', stores.certificates),
        },
      }),
    );

  it('ends in one whole certificate, and no part that belongs to none', async () => {
    await attempt();
    const [expected] = await stored();
    expect(expected?.parts.length).toBeGreaterThan(1);
    const points: Fault[] = [...new Set(faults.journal)].flatMap((call) =>
      faults.journal
        .filter((one) => one === call)
        .flatMap((_, index) => (['before', 'after', 'crash'] as const).map((mode) => ({ call, nth: index + 1, mode }))),
    );
    expect(points.length).toBeGreaterThan(20);
    for (const point of points) {
      stores = storesOf({ revocations: [aRevocation()], credentials: many });
      faults.set(point);
      const struck = await attempt().catch((error: unknown) => error);
      const where = `${point.call} ${point.nth} ${point.mode}`;
      expect(faults.struck, where).toBe(true);
      expect(struck, where).toBeInstanceOf(point.mode === 'crash' ? Crash : CordonError);
      for (const { one, parts } of await stored()) expect(verifyCertificate(JSON.stringify(assembleFile(one, parts))).ok, where).toBe(true);
      faults.restart();
      faults.set(undefined);
      await attempt();
      const found = await stored();
      expect(
        found.map(({ one, parts }) => [one.certificateId, parts]),
        where,
      ).toEqual([[expected?.one.certificateId, expected?.parts]]);
    }
  });

  it('is one when two make it at once', async () => {
    const [a, b] = await Promise.all([attempt(), attempt()]);
    expect(a).toEqual(b);
    expect(await stored()).toHaveLength(1);
  });
});
