import type { CertificateSubject, CredentialRecord, RevocationRecord, UnconfirmedRecord, VersionRecord } from './certificate.ts';

/** A certificate's codes in words, for people. */
const actions: Record<RevocationRecord['action'], string> = {
  revoke: 'Revoked',
  offboard: 'Offboarded',
  suspend: 'Suspended',
  reinstate: 'Reinstated',
};

const confirmations: Record<NonNullable<VersionRecord['confirmation']>, string> = {
  refused: 'The provider was asked with the key and refused it',
  'not-listed': 'The provider’s own list of keys is without it',
  attested: 'A person said so',
  replaced: 'A rotation replaced it and saw the provider refuse it; the attribution log says when',
};

const reasons: Readonly<Record<string, string>> = {
  SESSIONS_NOT_CUT_OFF: 'AWS sessions that were issued before are not cut off yet',
  CONNECTIONS_NOT_ENDED: 'Connections to customers’ AWS accounts are not ended yet',
  NOT_BEGUN: 'Nothing was done about it yet',
  NOT_REPLACED: 'It is refused by Cordon, and its replacement or retirement at the provider is not over',
  SECRET_NOT_DELETED: 'The provider refuses every key of it; its secret is not deleted yet',
  NOT_CONFIRMED: 'The provider was not seen to refuse it',
  UNDER_WAY: 'Its end is under way',
};

export function actionWords({ action }: Pick<RevocationRecord, 'action'>): string {
  return actions[action];
}

/** What was revoked: its scope and the ID that goes with it. */
export function objectWords(record: RevocationRecord): string {
  const { scope, userId, agentId, sessionId, credentialId, versionId } = record;
  const ids = { tenant: undefined, user: userId, agent: agentId, session: sessionId, credential: credentialId, version: versionId };
  const name = ids[scope];
  const of = scope === 'version' && credentialId !== undefined ? ` of credential ${credentialId}` : '';
  return name === undefined ? `the ${scope}` : `${scope} ${name}${of}`;
}

export function confirmationWords({ confirmation }: Pick<VersionRecord, 'confirmation'>): string {
  return confirmation === undefined ? 'NOT CONFIRMED' : confirmations[confirmation];
}

export function reasonWords({ why }: Pick<UnconfirmedRecord, 'why'>): string {
  return reasons[why] ?? `The last attempt ended with ${why}`;
}

export function unconfirmedWords({ what, credentialId, versionId, keyId, revocationId }: UnconfirmedRecord): string {
  if (what === 'key') return `Key ${keyId ?? '(made by the customer)'} of credential ${credentialId ?? ''}, version ${versionId ?? ''}`;
  if (what === 'credential') return `Credential ${credentialId ?? ''}`;
  return `${what === 'sessions' ? 'AWS sessions' : 'Connections'}, revocation ${revocationId ?? ''}`;
}

export function subjectWords(subject: CertificateSubject): string {
  switch (subject.kind) {
    case 'tenant':
      return 'Everything that was revoked of the tenant';
    case 'user':
      return `User ${subject.userId}${subject.subject === undefined ? '' : `, ${subject.subject} of ${subject.issuer ?? 'an unknown issuer'}`}`;
    case 'incident':
      return `Incident ${subject.incidentId}`;
    case 'revocation':
      return `Revocation ${subject.revocationId}`;
  }
}

export function sessionWords({ sessions }: RevocationRecord): string {
  if (sessions === undefined) return 'None to cut off';
  if (sessions.state === 'cut-off')
    return `Cut off ${sessions.cutOffAt ?? ''}${sessions.policyVersionId === undefined ? '' : `, policy version ${sessions.policyVersionId}`}`;
  return sessions.state === 'open' ? 'NOT CUT OFF YET' : `Had all ended by themselves by ${sessions.endedAt ?? ''}`;
}

export function stateWords({ ending, status, versions }: CredentialRecord): string {
  if (ending === undefined) return status === 'revoked' ? 'Revoked' : `Goes on (${status}), without the versions below`;
  if (ending.phase !== 'ended') return 'NOT ENDED YET';
  return versions.length === 0 ? 'Ended; it never had a key' : 'Ended';
}
