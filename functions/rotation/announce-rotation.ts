import type { CredentialItem } from '../tenants/registry.ts';
import { rotationPlanOf } from '../tenants/rotation-plan.ts';
import { oldKeys } from './rotation-changes.ts';
import type { RotationDeps } from './rotation-deps.ts';

type Announcing = Pick<RotationDeps, 'announcer' | 'clock'>;

/** What every event of a rotation says. Never a key. */
function aboutOf({ tenantId, credentialId, provider, rotating }: CredentialItem) {
  const { rotationId = '', requestedBy = '', why } = rotating ?? {};
  return { version: 1 as const, tenantId, credentialId, provider, rotationId, requestedBy, ...(why !== undefined && { why }) };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Tells what came into force: the next key, or the previous one again. Does nothing when that was told. */
export async function announceInForce({ announcer }: Announcing, item: CredentialItem): Promise<void> {
  const { rotating, previous, secretVersionId: versionId = '' } = item;
  if (rotating?.untold === undefined) return;
  const about = aboutOf(item);
  if (rotating.untold === 'rolled-back')
    return announcer.announce('CredentialRolledBack', { ...about, versionId, demotedVersionId: previous?.versionId ?? '' });
  const previousVersionId = previous?.versionId;
  return announcer.announce('CredentialRotated', {
    ...{ ...about, versionId, reason: rotating.reason },
    ...(previousVersionId !== undefined && { previousVersionId }),
  });
}

/** Tells of each old key that the provider was shown to refuse it. */
export async function announceRetired({ announcer, clock }: Announcing, item: CredentialItem): Promise<void> {
  const retiredBy = item.rotating?.retiredBy ?? 'limit';
  const confirmedAt = iso(clock());
  for (const { versionId } of oldKeys(item))
    await announcer.announce('CredentialRetired', { ...aboutOf(item), versionId, retiredBy, confirmedAt });
}

/** Asks the customer for the next key. Its grace is how long it may take: after that, asking again says so. */
export async function announceNext({ announcer, clock }: Announcing, item: CredentialItem): Promise<void> {
  const { rotating } = item;
  if (!rotating) return;
  const dueAt = rotating.since + rotationPlanOf(item).graceMs;
  const overdue = rotating.askedAt !== undefined && clock() >= dueAt;
  await announcer.announce('CredentialNextRequested', { ...aboutOf(item), reason: rotating.reason, dueAt: iso(dueAt), overdue });
}

export async function announceUnproven({ announcer }: Announcing, item: CredentialItem): Promise<void> {
  const since = iso(item.rotating?.phaseSince ?? 0);
  for (const { versionId } of oldKeys(item)) await announcer.announce('CredentialUnproven', { ...aboutOf(item), versionId, since });
}
