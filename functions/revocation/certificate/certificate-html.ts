import { escaped, notAsSigned, printableDocument, section, table } from '../../shared/printable-html.ts';
import type { CertificateHeader, CertificateRecord, CredentialRecord, RevocationRecord, UnconfirmedRecord } from './certificate.ts';
import { type CertificateCheck, verifyCertificate } from './verify-certificate.ts';
import {
  actionWords,
  confirmationWords,
  objectWords,
  reasonWords,
  sessionWords,
  stateWords,
  subjectWords,
  unconfirmedWords,
} from './words.ts';

/**
 * A certificate as a page to read and to print: whole in itself, without a script, and with nothing from elsewhere. It is checked first, and says so when it is not what
 * was signed. Whoever relies on it checks the file: a page can be written by anybody.
 *
 * @param text the file, as `verifyCertificate` takes it
 */
export function certificateHtml(text: string, options: { readonly publicKey?: string | undefined } = {}): string {
  const check = verifyCertificate(text, options);
  const { header, records } = check;
  const title = `Certificate ${header?.certificateId ?? 'that cannot be read'}`;
  const body = [
    `<h1>${escaped(title)}</h1>`,
    warning(check),
    ...(header === undefined
      ? []
      : [summary(header, records), unconfirmed(records), revocations(records), credentials(records), limits(header)]),
    howToVerify(check),
  ].join('\n');
  return printableDocument(title, body);
}

function warning({ ok, problems }: CertificateCheck): string {
  return ok ? '' : notAsSigned(problems);
}

function summary(header: CertificateHeader, records: readonly CertificateRecord[]): string {
  const { tenant, subject, counts, complete } = header;
  const verdict = complete
    ? '<p class="good">Everything that was to be ended is shown to be ended.</p>'
    : `<p class="bad"><strong>NOT COMPLETE: ${counts.unconfirmed} ${counts.unconfirmed === 1 ? 'entry is' : 'entries are'} not confirmed.</strong> See the list below.</p>`;
  const rows: readonly (readonly [string, string])[] = [
    ['Tenant', `${tenant.displayName} (${tenant.tenantId}), ${tenant.tier}, ${tenant.status}`],
    ['About', subjectWords(subject)],
    ['Asked for by', header.requestedBy],
    ['Issued', header.issuedAt],
    ['Revocations', String(counts.revocations)],
    ['Credentials', `${counts.credentials}, of which ended ${records.filter(isEnded).length}`],
    [
      'Keys',
      `${counts.versions}, of which the provider refuses ${counts.confirmed}${counts.attested > 0 ? ` (${counts.attested} by a person’s word)` : ''}`,
    ],
    ['Not confirmed', String(counts.unconfirmed)],
  ];
  const list = rows.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('');
  return `${verdict}\n<dl>${list}</dl>`;
}

function isEnded(record: CertificateRecord): boolean {
  return record.kind === 'credential' && record.ending?.phase === 'ended';
}

function unconfirmed(records: readonly CertificateRecord[]): string {
  const open = records.filter((record): record is UnconfirmedRecord => record.kind === 'unconfirmed');
  if (open.length === 0) return section('Not confirmed', '<p>Nothing.</p>');
  const rows = open.map((record) => [unconfirmedWords(record), record.provider ?? '', record.since, reasonWords(record)]);
  return section('Not confirmed', table(['What', 'Provider', 'Since', 'Why'], rows), 'bad');
}

function revocations(records: readonly CertificateRecord[]): string {
  const asked = records.filter((record): record is RevocationRecord => record.kind === 'revocation');
  const rows = asked.map((record) => [
    `${actionWords(record)}: ${objectWords(record)}`,
    record.requestedBy,
    `${record.reason}${record.incidentId === undefined ? '' : ` (incident ${record.incidentId})`}`,
    record.requestedAt,
    record.inForceAt,
    sessionWords(record),
    record.revocationId,
  ]);
  return section('What was asked for', table(['What', 'By', 'Why', 'Asked', 'In force', 'AWS sessions', 'Revocation'], rows));
}

function credentials(records: readonly CertificateRecord[]): string {
  const listed = records.filter((record): record is CredentialRecord => record.kind === 'credential');
  return section('Credentials', listed.length === 0 ? '<p>None.</p>' : listed.map(credential).join('\n'));
}

function credential(record: CredentialRecord): string {
  const { credentialId, provider, source, environment, userId, ending, versions } = record;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['State', stateWords(record)],
    ['Made', `${source}, ${environment}${userId === undefined ? '' : `, of user ${userId}`}`],
    ['Revoked', ending && `${ending.since} by ${ending.requestedBy}: ${ending.reason} (revocation ${ending.revocationId})`],
    ['Unknown keys looked for', ending?.straysAt],
    ['Secret out of use', ending?.stagedOutAt],
    ['Secret deleted', ending?.deletedAt],
  ];
  const list = facts
    .flatMap(([name, value]) => (value === undefined ? [] : [`<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`]))
    .join('');
  const rows = versions.map((version) => [
    version.versionId,
    version.keyId ?? 'made by the customer',
    version.revokedAt ?? (version.keyId === undefined ? 'the customer’s to do' : ''),
    version.confirmedAt ?? '',
    `${confirmationWords(version)}${version.attestedBy === undefined ? '' : `: ${version.attestedBy}`}`,
    version.proofId ?? '',
  ]);
  const keys = rows.length === 0 ? '' : table(['Version', 'Key', 'Revoked at the provider', 'Confirmed', 'How', 'Log entry'], rows);
  const open = ending?.phase !== 'ended' || versions.some(({ confirmation }) => confirmation === undefined);
  return `<article${open ? ' class="bad"' : ''}><h3>${escaped(credentialId)} <small>${escaped(provider)}</small></h3><dl>${list}</dl>${keys}</article>`;
}

function limits({ notKnown }: CertificateHeader): string {
  return section('What this cannot say', `<ul>${notKnown.map(({ text }) => `<li>${escaped(text)}</li>`).join('')}</ul>`);
}

function howToVerify({ ok, key, notes }: CertificateCheck): string {
  const checked =
    key === undefined
      ? []
      : [
          `<p>When this page was made, the file was ${ok ? 'as it was signed' : '<strong>not as it was signed</strong>'}, by the key ${key.source === 'file' ? 'in the file' : 'that was named'}.</p>`,
          `<dl><div><dt>Key</dt><dd>${escaped(key.keyArn)}</dd></div><div><dt>SHA-256 of the public key</dt><dd>${escaped(key.sha256)}</dd></div></dl>`,
        ];
  return section(
    'How to verify',
    [
      ...checked,
      ...notes.map((note) => `<p>${escaped(note)}</p>`),
      '<p>Anybody can check the file, without Cordon and without AWS: <code>npm run cordon -- verify-certificate FILE --public-key KEY.pem</code>. The header is signed by ECDSA on P-256 over SHA-256, and holds the SHA-256 of each part. Log entries are in the tenant’s attribution.</p>',
    ].join('\n'),
  );
}
