import { endsCredential } from '../../functions/revocation/certificate/in-scope.ts';
import type { Revocation } from '../../functions/revocation/revocation.ts';
import type { CredentialItem } from '../../functions/tenants/registry.ts';
import { fieldLines, tableLines } from '../table.ts';
import { timeOf } from './times.ts';

/** What is shown of a revocation, with what of it no provider has confirmed. */
export function revocationView(item: Revocation, credentials: readonly CredentialItem[]) {
  const { revocationId, tenantId, action, scope, userId, agentId, sessionId, credentialId, versionId } = item;
  const { status, requestedBy, reason, incidentId, requestedAt, cutOff, counts, certificateId } = item;
  return {
    ...{ revocationId, tenantId, action, scope, userId, agentId, sessionId, credentialId, versionId },
    ...{ status, requestedBy, reason, incidentId, requestedAt, counts, certificateId },
    inForceAt: timeOf(item.inForceAt),
    sessionsCutOffAt: timeOf(cutOff?.appliedAt ?? cutOff?.endedAt),
    doneAt: timeOf(item.doneAt),
    unconfirmed: credentials.filter((one) => endsCredential(item, one)).flatMap(unconfirmedOf),
  };
}
export type RevocationView = ReturnType<typeof revocationView>;

function unconfirmedOf({ credentialId, provider, ending }: CredentialItem) {
  if (ending?.phase !== 'unconfirmed') return [];
  return [
    {
      ...{ credentialId, provider, problem: ending.problem },
      since: timeOf(ending.unconfirmedSince),
      versionIds: ending.versions.flatMap(({ versionId, confirmedAt }) => (confirmedAt === undefined ? [versionId] : [])),
    },
  ];
}

type Subject = Pick<Revocation, 'scope' | 'tenantId' | 'userId' | 'agentId' | 'sessionId' | 'credentialId' | 'versionId'>;

/** Of whom or what it is. */
export function subjectOf(view: Subject): string {
  const { scope, tenantId, userId, agentId, sessionId, credentialId, versionId } = view;
  const id = { tenant: tenantId, user: userId, agent: agentId, session: sessionId, credential: credentialId, version: versionId }[scope];
  return `${scope} ${id ?? ''}${scope === 'version' ? ` of ${credentialId ?? ''}` : ''}`;
}

export function revocationTable(revocations: readonly RevocationView[]): readonly string[] {
  return tableLines(
    ['REVOCATION', 'ACTION', 'OF', 'STATUS', 'IN FORCE', 'KEYS CONFIRMED', 'BY', 'INCIDENT'],
    revocations.map((one) => [
      one.revocationId,
      one.action,
      subjectOf(one),
      one.status,
      one.inForceAt,
      confirmedText(one),
      one.requestedBy,
      one.incidentId,
    ]),
  );
}

export function revocationLines(one: RevocationView): readonly string[] {
  const { revocationId, action, status, requestedBy, reason, incidentId, requestedAt, inForceAt, sessionsCutOffAt, doneAt, certificateId } =
    one;
  return [
    ...unconfirmedLines(one),
    ...fieldLines({
      ...{
        revocation: revocationId,
        action,
        of: subjectOf(one),
        status,
        'asked for by': requestedBy,
        because: reason,
        incident: incidentId,
      },
      ...{ 'asked for': requestedAt, 'in force': inForceAt, 'sessions cut off': sessionsCutOffAt, credentials: one.counts.credentials },
      ...{ 'keys confirmed': confirmedText(one), done: doneAt, certificate: certificateId },
    }),
  ];
}

/** First and unmistakable: everything else went as it should. */
function unconfirmedLines({ tenantId, unconfirmed }: RevocationView): readonly string[] {
  if (unconfirmed.length === 0) return [];
  return [
    'NOT CONFIRMED: these providers may accept a key still. Cordon refuses its use, and asks on.',
    ...tableLines(
      ['CREDENTIAL', 'PROVIDER', 'SINCE', 'WHY', 'VERSIONS'],
      unconfirmed.map((open) => [open.credentialId, open.provider, open.since, open.problem, open.versionIds.join(' ')]),
    ),
    `End the key at the provider, or have its owner do so; then wait, or attest: cordon revocations confirm ${tenantId} <credential> --reason …`,
    '',
  ];
}

function confirmedText({ counts }: RevocationView): string | undefined {
  return counts.versions === 0 ? undefined : `${counts.confirmed} of ${counts.versions}`;
}
