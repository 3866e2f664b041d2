import { rotationOf, versionsOf } from '../../functions/connections/credential-versions.ts';
import type { Ending } from '../../functions/revocation/ending.ts';
import type { CredentialItem } from '../../functions/tenants/registry.ts';
import { fieldLines, tableLines } from '../table.ts';
import { timeOf } from './times.ts';

/** What is shown of a credential, by name: whatever else its item comes to hold, stays there. */
export function credentialView(item: CredentialItem) {
  const { credentialId, provider, source, environment, userId, useCase, team, status, connectionId, createdAt, requestedBy } = item;
  return {
    ...{ credentialId, provider, source, environment, userId, useCase, team, status, connectionId, createdAt, requestedBy },
    versions: versionsOf(item),
    rotation: rotationOf(item),
    diverted: item.diverted,
    revokedVersionIds: item.revokedVersionIds,
    ending: item.ending && endingView(item.ending),
  };
}
export type CredentialView = ReturnType<typeof credentialView>;

function endingView(ending: Ending) {
  const { phase, revocationId, requestedBy, reason, incidentId, problem } = ending;
  return {
    ...{ phase, revocationId, requestedBy, reason, incidentId, problem },
    since: timeOf(ending.since),
    versions: ending.versions.map(({ versionId, keyId, revokedAt, confirmedAt, confirmation, attestedBy, proofId }) => ({
      ...{ versionId, keyId, confirmation, attestedBy, proofId },
      revokedAt: timeOf(revokedAt),
      confirmedAt: timeOf(confirmedAt),
    })),
    stagedOutAt: timeOf(ending.stagedOutAt),
    deletedAt: timeOf(ending.deletedAt),
    unconfirmedSince: timeOf(ending.unconfirmedSince),
  };
}

export function credentialTable(credentials: readonly CredentialView[]): readonly string[] {
  return tableLines(
    ['CREDENTIAL', 'PROVIDER', 'SOURCE', 'ENVIRONMENT', 'USER', 'STATUS', 'ROTATION'],
    credentials.map((one) => [one.credentialId, one.provider, one.source, one.environment, one.userId, statusOf(one), rotationText(one)]),
  );
}

export function credentialLines(one: CredentialView): readonly string[] {
  const { credentialId, provider, source, environment, userId, useCase, team, connectionId, createdAt, requestedBy, ending } = one;
  return [
    ...fieldLines({
      ...{ credential: credentialId, provider, source, environment, user: userId, 'use case': useCase, team, connection: connectionId },
      ...{ status: statusOf(one), rotation: rotationText(one), created: createdAt, 'asked for by': requestedBy },
    }),
    ...(one.versions.length === 0
      ? []
      : [
          '',
          ...tableLines(
            ['VERSION', 'STATE'],
            one.versions.map((version) => [version.versionId, version.state]),
          ),
        ]),
    ...(ending === undefined ? [] : ['', ...endingLines(ending)]),
  ];
}

function endingLines(ending: NonNullable<CredentialView['ending']>): readonly string[] {
  const { phase, revocationId, requestedBy, reason, incidentId, since, problem, stagedOutAt, deletedAt, unconfirmedSince } = ending;
  return [
    ...fieldLines({
      ...{ 'revoked by': requestedBy, because: reason, revocation: revocationId, incident: incidentId, since, phase, problem },
      ...{ 'staged out': stagedOutAt, 'secret deleted': deletedAt, 'unconfirmed since': unconfirmedSince },
    }),
    '',
    ...tableLines(
      ['KEY OF VERSION', 'REVOKED', 'CONFIRMED', 'HOW', 'PROOF'],
      ending.versions.map((one) => [
        one.versionId,
        one.revokedAt,
        one.confirmedAt ?? 'NOT CONFIRMED',
        one.attestedBy === undefined ? one.confirmation : `${one.confirmation} by ${one.attestedBy}`,
        one.proofId,
      ]),
    ),
  ];
}

function statusOf({ status, ending }: CredentialView): string {
  return ending === undefined ? status : `${status}, ${ending.phase === 'unconfirmed' ? 'UNCONFIRMED' : ending.phase}`;
}

function rotationText({ rotation, diverted }: CredentialView): string | undefined {
  if (rotation === undefined) return undefined;
  const text = rotation.phase === undefined ? rotation.dueAt && `due ${rotation.dueAt}` : `${rotation.phase} since ${rotation.since}`;
  return diverted === true ? `${text ?? ''}, use goes to the backup` : text;
}
