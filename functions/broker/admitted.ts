import type { Asked } from './asked.ts';
import type { Caller } from './caller.ts';
import type { CredentialFacts } from './catalogue.ts';
import type { Epochs, GateQuestion } from './gate.ts';

/** Why a credential's backup is used in its place: it was revoked, or an emergency rotation leads traffic away from it. */
export type BackupReason = 'CREDENTIAL_REVOKED' | 'CREDENTIAL_DIVERTED';

/** A credential that a call may go through. */
export interface Admitted {
  readonly credential: CredentialFacts;
  readonly epochs: Epochs;
  /** What was asked about it: of a backup, with what it stands in for. */
  readonly question: GateQuestion;
  /** Of a backup: why it is not the credential that was chosen. */
  readonly insteadBecause?: BackupReason;
}

export interface AdmitInput {
  readonly caller: Caller;
  readonly provider: string;
  readonly asked: Asked;
}
