import type { CredentialItem } from '../tenants/registry.ts';
import type { ListedRotation, ListedVersion } from './connections-answer.ts';

type Versioned = Partial<Pick<CredentialItem, 'secretVersionId' | 'previous' | 'rotating' | 'rotatedAt' | 'dueAt'>>;

/** The versions that a credential has now: those that `RotationRequested` can name. Newest first. */
export function versionsOf({ secretVersionId, previous, rotating }: Versioned): readonly ListedVersion[] {
  const pending = rotating?.pending;
  return [
    ...(pending !== undefined && pending.versionId !== secretVersionId
      ? [{ versionId: pending.versionId, state: 'pending' as const }]
      : []),
    ...(secretVersionId === undefined ? [] : [{ versionId: secretVersionId, state: 'current' as const }]),
    ...(previous === undefined ? [] : [{ versionId: previous.versionId, state: 'previous' as const }]),
    ...(rotating?.older ?? []).map(({ versionId }) => ({ versionId, state: 'retiring' as const })),
  ];
}

/** How far a rotation is, or when the next one is due; undefined for what is never rotated. */
export function rotationOf({ rotating, rotatedAt, dueAt }: Versioned): ListedRotation | undefined {
  if (rotating === undefined && rotatedAt === undefined && dueAt === undefined) return undefined;
  return {
    ...(rotatedAt !== undefined && { rotatedAt: timeOf(rotatedAt) }),
    ...(rotating === undefined && dueAt !== undefined && { dueAt: timeOf(dueAt) }),
    ...(rotating !== undefined && { phase: rotating.phase, reason: rotating.reason, since: timeOf(rotating.since) }),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
