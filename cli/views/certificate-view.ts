import type { CertificateCheck } from '../../functions/revocation/certificate/verify-certificate.ts';
import { fieldLines } from '../table.ts';

/** What a check of a certificate came to, and what the certificate says in short. */
export function checkView({ ok, problems, notes, key, header }: CertificateCheck) {
  return {
    ok,
    problems,
    notes,
    key: key && { source: key.source, sha256: key.sha256, keyArn: key.keyArn },
    // What does not verify says nothing.
    certificate:
      ok && header !== undefined
        ? {
            ...{
              certificateId: header.certificateId,
              tenantId: header.tenant.tenantId,
              subject: header.subject,
              issuedAt: header.issuedAt,
            },
            ...{ requestedBy: header.requestedBy, complete: header.complete, counts: header.counts },
          }
        : undefined,
  };
}

export function checkLines(view: ReturnType<typeof checkView>): readonly string[] {
  const { certificate, key } = view;
  const counts = certificate?.counts;
  return fieldLines({
    verdict: view.ok ? 'as it was signed' : 'NOT as it was signed',
    certificate: certificate?.certificateId,
    of: certificate && `${certificate.subject.kind} of ${certificate.tenantId}`,
    issued: certificate?.issuedAt,
    'asked for by': certificate?.requestedBy,
    complete: certificate && (certificate.complete ? 'yes: nothing is unconfirmed' : 'NO: see what is not confirmed'),
    credentials: counts?.credentials,
    'keys confirmed':
      counts &&
      `${counts.confirmed} of ${counts.versions}${counts.attested > 0 ? `, ${counts.attested} of them attested by a person` : ''}`,
    unconfirmed: counts?.unconfirmed,
    'signed by': key?.keyArn,
    'key’s SHA-256': key?.sha256,
    'key taken from': key && (key.source === 'pinned' ? 'what you named' : 'the file itself'),
  });
}
