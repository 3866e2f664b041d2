import type { CertificateRecord, CredentialRecord, RevocationRecord, UnconfirmedRecord } from '../revocation/certificate/certificate.ts';
import type { Revocation } from '../revocation/revocation.ts';

/** What asking answers: the list shows a moment later what has come of it. */
export type OrderedAnswer =
  | { readonly revocationId: string; readonly status: 'requested' }
  | { readonly credentialId: string; readonly status: 'confirmation-requested' };

/** The records as a certificate has them, without the name of their kind. */
type Shown<Record extends CertificateRecord> = Omit<Record, 'kind'>;

export interface ListedRevocation extends Shown<RevocationRecord> {
  /** `open`: work is left. `unconfirmed`: all that is left is what a provider did not confirm. `done`: nothing is. */
  readonly status: Revocation['status'];
  readonly counts: Revocation['counts'];
  /** ISO 8601. */
  readonly doneAt?: string | undefined;
  /** True when there is a certificate to get. */
  readonly certified: boolean;
}

export interface RevocationsAnswer {
  readonly tenantId: string;
  /** The newest first. */
  readonly revocations: readonly ListedRevocation[];
  /** Of the next page. */
  readonly cursor?: string | undefined;
}

export interface RevocationAnswer extends ListedRevocation {
  readonly tenantId: string;
  /** What is not shown to be so; first of all to be read. */
  readonly unconfirmed: readonly Shown<UnconfirmedRecord>[];
  /** Those with something unconfirmed first. */
  readonly credentials: readonly Shown<CredentialRecord>[];
  /** How many there was no room for; the certificate has them all. */
  readonly leftOut: { readonly unconfirmed: number; readonly credentials: number };
}
