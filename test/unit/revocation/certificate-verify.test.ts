import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../functions/byoc/probe/sign-evidence.ts';
import { type CertificateFile, type CertificateRecord, certificatePart } from '../../../functions/revocation/certificate/certificate.ts';
import { sha256Of, splitIntoParts } from '../../../functions/revocation/certificate/split-parts.ts';
import { verifyCertificate } from '../../../functions/revocation/certificate/verify-certificate.ts';
import { aCredentialItem, anEnding, aRevocation, aSigner, certificateOf, confirmedVersion, versionId } from '../../support/certificates.ts';

const signer = aSigner();
const other = aSigner();
let file: CertificateFile;
beforeAll(async () => {
  const open = aCredentialItem('open', { ending: anEnding({ phase: 'unconfirmed', versions: [{ versionId: versionId('2') }] }) });
  file = await certificateOf({ revocations: [aRevocation()], credentials: [aCredentialItem('main'), open] }, signer);
});
const check = (changed: unknown, publicKey?: string) => verifyCertificate(JSON.stringify(changed), { publicKey });
const problemsOf = (changed: unknown, publicKey?: string): readonly string[] => check(changed, publicKey).problems;

describe('X6 a certificate as it was signed', () => {
  it('is verified by the key that was named, and answers what it says', () => {
    const { ok, problems, notes, key, header, records } = check(file, signer.pem);
    expect([ok, problems, notes]).toEqual([true, [], []]);
    expect(key).toEqual({ source: 'pinned', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), keyArn: signer.keyArn });
    expect(header).toMatchObject({ tenant: { tenantId: 'acme' }, complete: false, counts: { versions: 2, confirmed: 1, unconfirmed: 1 } });
    expect(records.map(({ kind }) => kind)).toEqual(['unconfirmed', 'revocation', 'credential', 'credential']);
  });

  it('says which key was used when none was named, by fingerprint and ARN', () => {
    const { ok, notes, key } = check(file);
    expect([ok, key?.source]).toEqual([true, 'file']);
    expect(notes.join()).toContain(key?.sha256);
    expect(notes.join()).toContain(signer.keyArn);
  });

  it('is verified however its file is laid out', () => {
    expect(verifyCertificate(JSON.stringify(file, undefined, 2)).ok).toBe(true);
  });
});

describe('X6 a certificate that was changed', () => {
  it('is refused, whichever character of whichever text of it was changed', { timeout: 20_000 }, () => {
    const texts = [file.header, ...file.parts];
    const position = fc.nat(texts.length - 1).chain((index) => fc.tuple(fc.constant(index), fc.nat((texts[index] ?? '').length - 1)));
    fc.assert(
      fc.property(position, fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }), ([index, at], instead) => {
        const text = texts[index] ?? '';
        const changed = text.slice(0, at) + instead + text.slice(at + 1);
        fc.pre(changed !== text);
        const [header = '', ...parts] = texts.with(index, changed);
        expect(check({ ...file, header, parts }, signer.pem).ok).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused when it is as long and as well formed as before, with another digit in a time or an ID', { timeout: 20_000 }, () => {
    const texts = [file.header, ...file.parts];
    const digits = texts.flatMap((text, index) => [...text.matchAll(/\d/g)].map((found) => ({ index, at: found.index })));
    fc.assert(
      fc.property(fc.constantFrom(...digits), fc.integer({ min: 1, max: 9 }), ({ index, at }, more) => {
        const text = texts[index] ?? '';
        const changed = `${text.slice(0, at)}${(Number(text[at]) + more) % 10}${text.slice(at + 1)}`;
        const [header = '', ...parts] = texts.with(index, changed);
        expect(check({ ...file, header, parts }, signer.pem).ok).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused when a character was put in a place where the bytes stay the same', async () => {
    // Half of a surrogate pair has no bytes of its own in UTF-8: it is written as U+FFFD.
    const strange = await certificateOf({ revocations: [aRevocation({ reason: 'a \uFFFD b' })], credentials: [] }, signer);
    const parts = strange.parts.map((part) => part.replace('\uFFFD', '\uD800'));
    expect(check(strange, signer.pem).ok).toBe(true);
    expect(problemsOf({ ...strange, parts }, signer.pem)).toEqual(['part 1 is not written canonically']);
  });

  it('is refused when any bit of the signature was changed', () => {
    const bytes = Buffer.from(file.signature, 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(check({ ...file, signature: changed.toString('base64') }, signer.pem).ok).toBe(false);
      }),
    );
  });

  it.each([
    ['a part left out', (one: CertificateFile) => ({ ...one, parts: [] }), 'the file has 0 parts'],
    ['a part twice', (one: CertificateFile) => ({ ...one, parts: [...one.parts, ...one.parts] }), 'the file has 2 parts'],
    ['another key beside it', (one: CertificateFile) => ({ ...one, publicKey: other.pem }), 'another key has signed it'],
    [
      'another ARN beside it',
      (one: CertificateFile) => ({ ...one, keyArn: 'arn:aws:kms:us-east-1:1:key/x' }),
      'the file names another key than the signed header',
    ],
    ['a key of another kind', (one: CertificateFile) => ({ ...one, publicKey: rsaKey() }), 'none for ECDSA on P-256'],
    ['no key', (one: CertificateFile) => ({ ...one, publicKey: 'x' }), 'none for ECDSA on P-256'],
    ['no signature', (one: CertificateFile) => ({ ...one, signature: '' }), 'the signature is not that of the header'],
    ['a member more', (one: CertificateFile) => ({ ...one, note: 'x' }), 'the file is not of the form'],
    ['another format', (one: CertificateFile) => ({ ...one, format: 'cordon-certificate/2' }), 'the format is not cordon-certificate/1'],
    ['nothing in it', () => null, 'the format is not cordon-certificate/1'],
  ])('is refused with %s', (_, change, words) => {
    const { ok, problems } = check(change(file));
    expect(ok).toBe(false);
    expect(problems.join('; ')).toContain(words);
  });

  it('is refused when it is no JSON', () => {
    expect(verifyCertificate('{').problems).toEqual(['the file is not JSON']);
  });

  it('is refused when another has signed it, although it is whole in itself', async () => {
    const forged = await certificateOf({ revocations: [aRevocation()], credentials: [] }, other);
    expect(check(forged).ok).toBe(true);
    expect(problemsOf(forged, signer.pem).join('; ')).toContain('the public key in the file is not the one that was named');
    expect(problemsOf(forged, 'not a key').join('; ')).toContain('the public key that was named is none');
  });
});

describe('X6 a certificate that contradicts itself', () => {
  /** Signs what a careless or dishonest issuer might: the signature is good. */
  async function signed(change: (content: { header: Record<string, unknown>; records: CertificateRecord[] }) => void) {
    const header = JSON.parse(file.header);
    const { records } = certificatePart.parse(JSON.parse(file.parts[0] ?? ''));
    const content = { header, records };
    change(content);
    const parts = splitIntoParts(header.certificateId, content.records);
    header.parts = parts.map(({ text, records: count }) => ({ sha256: sha256Of(text), bytes: Buffer.byteLength(text), records: count }));
    const text = canonicalJson(header);
    return { ...file, header: text, signature: await signer.sign(text), parts: parts.map((part) => part.text) };
  }

  it('is not refused when nothing was changed', async () => {
    expect(problemsOf(await signed(() => {}), signer.pem)).toEqual([]);
  });

  it('is refused when its counts are not those of its lists', async () => {
    const changed = await signed(({ header }) => {
      header['counts'] = { revocations: 1, credentials: 2, versions: 2, confirmed: 2, attested: 0, unconfirmed: 0 };
      header['complete'] = true;
    });
    expect(problemsOf(changed, signer.pem)).toEqual([
      'the counts are not those of the lists',
      expect.stringContaining('against its own list'),
    ]);
  });

  it('is refused when a key without a confirmation is missing on the list of what is not confirmed', async () => {
    const changed = await signed(({ header, records }) => {
      records.splice(0, 1);
      header['counts'] = { revocations: 1, credentials: 2, versions: 2, confirmed: 1, attested: 0, unconfirmed: 0 };
      header['complete'] = true;
    });
    expect(problemsOf(changed, signer.pem)).toEqual([expect.stringContaining('the list of what is not confirmed')]);
  });
});

describe('X6 the size of a certificate', () => {
  it('holds three thousand credentials, in parts that DynamoDB takes', async () => {
    const credentials = Array.from({ length: 3000 }, (_, n) =>
      aCredentialItem(`credential-${n}`, { ending: anEnding({ versions: [confirmedVersion(String(n)), confirmedVersion(`9${n}`)] }) }),
    );
    const large = await certificateOf({ revocations: [aRevocation()], credentials }, signer);
    expect(large.parts.length).toBeGreaterThan(4);
    for (const text of [large.header, ...large.parts]) expect(Buffer.byteLength(text)).toBeLessThan(380 * 1024);
    const { ok, header } = check(large, signer.pem);
    expect([ok, header?.counts]).toEqual([
      true,
      { revocations: 1, credentials: 3000, versions: 6000, confirmed: 6000, attested: 0, unconfirmed: 0 },
    ]);
    expect(check({ ...large, parts: [large.parts[1], large.parts[0], ...large.parts.slice(2)] }).ok).toBe(false);
  });

  it('keeps every record, in order, whatever the room', () => {
    const records = Array.from({ length: 50 }, (_, n) => ({
      kind: 'unconfirmed' as const,
      what: 'key' as const,
      since: '2026-11-21T12:00:00.000Z',
      why: 'x'.repeat(n),
    }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (room) => {
        const parts = splitIntoParts('01KAHZ3V9QXJ5T7N2M8R4W6Y0B', records, room);
        expect(parts.flatMap(({ text }) => JSON.parse(text).records)).toEqual(records);
        expect(parts.map(({ number }) => number)).toEqual(parts.map((_, index) => index + 1));
        for (const { records: count, text } of parts) if (count > 1) expect(Buffer.byteLength(text)).toBeLessThan(room + 200);
      }),
    );
    expect(splitIntoParts('01KAHZ3V9QXJ5T7N2M8R4W6Y0B', [])).toHaveLength(1);
  });
});

function rsaKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' }).toString();
}
