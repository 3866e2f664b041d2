import { CordonError, type CordonErrorCode } from '../shared/errors.ts';
import type { AdmitInput, Admitted, BackupReason } from './admitted.ts';
import type { CredentialFacts } from './catalogue.ts';
import { backupOf } from './choose-credential.ts';
import { admit, type Gate, type GateQuestion, type GateReading } from './gate.ts';
import type { Catalogue } from './tenant-catalogue.ts';

/** With these, the backup itself may not be used; whatever else the gate refuses with holds for any credential of this caller. */
const unusable: ReadonlySet<CordonErrorCode> = new Set(['CREDENTIAL_REVOKED', 'CREDENTIAL_NOT_ACTIVE', 'CONNECTION_NOT_ACTIVE']);

export function reasonForBackup({ credential }: GateReading): BackupReason | undefined {
  if (credential?.status === 'revoked' || credential?.versionRevoked) return 'CREDENTIAL_REVOKED';
  return credential?.diverted === true ? 'CREDENTIAL_DIVERTED' : undefined;
}

/**
 * Asks the gate for the backup of a chosen credential, as for any credential; a backup has no backup of its own.
 *
 * @returns undefined when there is none, or none that may be used: the chosen one then stands for itself
 * @throws CordonError what the gate refuses the caller with, whichever credential it is
 */
export async function admitBackup(
  gate: Gate,
  known: Catalogue,
  { provider, asked }: Pick<AdmitInput, 'provider' | 'asked'>,
  chosen: { readonly credential: CredentialFacts; readonly question: GateQuestion; readonly because: BackupReason },
): Promise<Admitted | undefined> {
  const credential = backupOf(known, provider, asked, chosen.credential);
  if (credential === undefined) return undefined;
  const { credentialId, connectionId } = credential;
  const question = { ...chosen.question, credentialId, connectionId, backupFor: chosen.credential.credentialId };
  const reading = await gate.read(question);
  try {
    return { credential, epochs: admit(reading, credential), question, insteadBecause: chosen.because };
  } catch (error) {
    if (error instanceof CordonError && unusable.has(error.code)) return undefined;
    throw error;
  }
}
