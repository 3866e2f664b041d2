import type { CredentialItem, UserItem } from '../../tenants/registry.ts';
import type { Revocation } from '../revocation.ts';
import { type CertificateCounts, type CertificateRecord, type CertificateSubject, countsOf } from './certificate.ts';
import { credentialToTell } from './credential-record.ts';
import { type CertificateOf, revocationsOf } from './in-scope.ts';
import { type Unknowable, unknowableOf } from './not-known.ts';
import { revocationRecordOf } from './revocation-record.ts';
import { unconfirmedIn, unconfirmedOf } from './unconfirmed.ts';

/** What the registry has of one tenant. */
export interface CertificateFacts {
  readonly of: CertificateOf;
  /** The user that it is of, when it is of one and Cordon knows them. */
  readonly user?: Pick<UserItem, 'issuer' | 'subject'> | undefined;
  readonly revocations: readonly Revocation[];
  readonly credentials: readonly CredentialItem[];
}

export interface CertificateContent {
  readonly subject: CertificateSubject;
  /** What is not confirmed first, then what was asked for, then each credential. */
  readonly records: readonly CertificateRecord[];
  readonly counts: CertificateCounts;
  readonly notKnown: readonly Unknowable[];
}

/** Says what was ended, from registry items alone: the same items make the same certificate, whoever makes it and whenever. */
export function buildCertificate({ of, user, revocations, credentials }: CertificateFacts): CertificateContent {
  const told = revocationsOf(of, revocations, credentials);
  const ended = credentials.flatMap((item) => {
    const found = credentialToTell(item, of, told);
    return found === undefined ? [] : [{ record: found.record, unconfirmed: unconfirmedIn(found, item, told) }];
  });
  const records = [
    ...told.flatMap(unconfirmedOf),
    ...ended.flatMap(({ unconfirmed }) => unconfirmed),
    ...told.map(revocationRecordOf),
    ...ended.map(({ record }) => record),
  ];
  return { subject: subjectOf(of, user), records, counts: countsOf(records), notKnown: unknowableOf(records) };
}

function subjectOf(of: CertificateOf, user: CertificateFacts['user']): CertificateSubject {
  if ('userId' in of) return { kind: 'user', userId: of.userId, ...(user && { issuer: user.issuer, subject: user.subject }) };
  if ('incidentId' in of) return { kind: 'incident', incidentId: of.incidentId };
  if ('revocationId' in of) return { kind: 'revocation', revocationId: of.revocationId };
  return { kind: 'tenant' };
}
