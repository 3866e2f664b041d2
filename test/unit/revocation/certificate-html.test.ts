import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateFile } from '../../../functions/revocation/certificate/certificate.ts';
import { certificateHtml } from '../../../functions/revocation/certificate/certificate-html.ts';
import { aCredentialItem, anEnding, aRevocation, aSigner, certificateOf, confirmedVersion, versionId } from '../../support/certificates.ts';

const signer = aSigner();
let file: CertificateFile;
const htmlOf = (changed: unknown = file): string => certificateHtml(JSON.stringify(changed), { publicKey: signer.pem });

beforeAll(async () => {
  const versions = [{ ...confirmedVersion('3'), confirmation: 'attested' as const, attestedBy: 'ben@acme.example' }];
  const credentials = [
    aCredentialItem('main'),
    aCredentialItem('byok', {
      source: 'customer-supplied',
      ending: anEnding({ phase: 'unconfirmed', problem: 'PROVIDER_UNAVAILABLE', versions: [{ versionId: versionId('2') }] }),
    }),
    aCredentialItem('told', { ending: anEnding({ versions }) }),
  ];
  file = await certificateOf({ revocations: [aRevocation({ incidentId: 'INC-7' })], credentials }, signer);
});

describe('X6 a certificate as a page', () => {
  it('says who asked, when it was in force, and what was done to each key, when and by whom', () => {
    const html = htmlOf();
    for (const text of [
      ...['Acme &amp; Sons (acme)', 'Offboarded: the tenant', 'ann@acme.example', 'contract ended (incident INC-7)'],
      ...['2026-11-21T12:00:00.800Z', 'Cut off 2026-11-21T12:00:02.000Z, policy version v7'],
      ...['key_1', '2026-11-21T12:00:04.000Z', 'The provider was asked with the key and refused it', '01KAHZ3V9QXJ5T7N2M8R4W6Y0B'],
      ...['A person said so: ben@acme.example', signer.keyArn, 'npm run cordon -- verify-certificate'],
    ])
      expect(html).toContain(text);
  });

  it('says first and in words what is not confirmed', () => {
    const html = htmlOf();
    expect(html).toContain('NOT COMPLETE: 1 entry is not confirmed.');
    expect(html).toContain('The last attempt ended with PROVIDER_UNAVAILABLE');
    expect(html.indexOf('<h2>Not confirmed')).toBeLessThan(html.indexOf('<h2>What was asked for'));
    expect(html).toMatch(/<article class="bad"><h3>byok/);
    expect(html).toContain('<article><h3>main');
  });

  it('says that everything is shown to be ended only when it is', async () => {
    const done = await certificateOf({ revocations: [aRevocation()], credentials: [aCredentialItem('main')] }, signer);
    expect(htmlOf(done)).toContain('Everything that was to be ended is shown to be ended.');
    expect(htmlOf()).not.toContain('Everything that was to be ended');
  });

  it('warns of a file that is not as it was signed, and of one that cannot be read', () => {
    const parts = file.parts.map((part) => part.replace('"unconfirmed"', '"confirmedxx"'));
    for (const html of [htmlOf({ ...file, parts }), certificateHtml('{}'), certificateHtml('<script>')]) {
      expect(html).toContain('Do not rely on this');
      expect(html).not.toContain('Everything that was to be ended is shown');
    }
    expect(htmlOf()).not.toContain('Do not rely on this');
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    const html = htmlOf();
    const style = html.slice(html.indexOf('<style>') + '<style>'.length, html.indexOf('</style>'));
    const hash = createHash('sha256').update(style).digest('base64');
    expect(html).toContain(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|src=|href=|url\(|@import| on[a-z]+=/i);
    expect(html).toContain('@media print');
  });

  it('shows whatever a name holds as text', async () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        `<script>alert(1)</script>`,
        `"><img src=x onerror=alert(1)>`,
        `</style><script>`,
        `' onmouseover='x`,
        '&lt;b&gt;',
        '\u202Eevil\u0000',
      ),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
    );
    const count = (html: string): number => html.split('<').length;
    const plain = await certificateOf(
      { revocations: [aRevocation({ action: 'revoke', scope: 'agent', agentId: 'x', cutOff: undefined })], credentials: [] },
      signer,
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const change = { action: 'revoke', scope: 'agent', agentId: text, reason: text, requestedBy: text, cutOff: undefined };
        const html = htmlOf(await certificateOf({ revocations: [aRevocation(change)], credentials: [] }, signer));
        // As many tags as with a harmless name.
        expect(count(html)).toBe(count(htmlOf(plain)));
        expect(html.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
      }),
      { numRuns: 60 },
    );
  });
});
