import { credentialDueShard, underWayDueShard } from '../sweep/due-shard.ts';
import type { StoredCredential } from './credential-spec.ts';
import type { CredentialItem } from './registry.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Every credential with a key is rotated, whoever asked for it: after this long unless its own plan says otherwise. */
const byDefault = { everyDays: 90, graceHours: 24 } as const;

type Planned = Pick<StoredCredential, 'rotation' | 'source'>;

/** How often a credential is rotated, how long its old key is kept, and when a next key may be in force at the earliest. Milliseconds. */
export interface RotationPlan {
  readonly everyMs: number;
  readonly graceMs: number;
  /** Since the epoch. */
  readonly activateAt: number | undefined;
}

export function rotationPlanOf({ rotation }: Pick<Planned, 'rotation'>): RotationPlan {
  const { everyDays, graceHours, activateAt } = { activateAt: undefined, ...byDefault, ...rotation };
  return {
    everyMs: everyDays * dayMs,
    graceMs: graceHours * hourMs,
    activateAt: activateAt === undefined ? undefined : Date.parse(activateAt),
  };
}

/** Both keys of the index `due`, or neither: an item with one of them would be in no list and in no schedule. */
export interface Due {
  readonly dueShard: string | undefined;
  readonly dueAt: number | undefined;
}
export const notDue: Due = { dueShard: undefined, dueAt: undefined };

/** For the next step of what has begun. It does not wait behind what piles up at its provider. */
export function dueAt({ tenantId }: Pick<CredentialItem, 'tenantId'>, at: number): Due {
  return { dueShard: underWayDueShard(tenantId), dueAt: at };
}

/** For what is to begin, or to be tried again after a failure: among all that its provider has before it. */
export function queuedAt({ provider, tenantId }: Pick<CredentialItem, 'provider' | 'tenantId'>, at: number): Due {
  return { dueShard: credentialDueShard(provider, tenantId), dueAt: at };
}

/**
 * When a credential whose key came into force at `since` is to be rotated; never, when nothing of it is stored. Pure.
 *
 * @param since milliseconds since the epoch
 */
export function scheduledDue(item: Planned & Pick<CredentialItem, 'provider' | 'tenantId'>, since: number): Due {
  if (item.source === 'federated' || item.source === 'customer-role') return notDue;
  return queuedAt(item, since + rotationPlanOf(item).everyMs);
}

/** What a key that the customer handed over changes in the schedule: the one before is to go, and that begins at once. Pure. */
export function afterSupply(
  item: CredentialItem,
  supplied: { readonly secretVersionId: string; readonly at: number },
): Pick<CredentialItem, 'previous' | 'rotating'> & Due {
  const { previous, rotating, secretVersionId } = item;
  if (item.status !== 'active' || secretVersionId === undefined) return { ...scheduledDue(item, supplied.at) };
  if (secretVersionId === supplied.secretVersionId) return { ...dueAt(item, supplied.at), previous, rotating };
  // The one before is yet to be shown dead: it is not lost sight of.
  const older = previous === undefined || rotating === undefined ? undefined : [...(rotating.older ?? []), previous];
  return {
    ...dueAt(item, supplied.at),
    previous: { versionId: secretVersionId },
    ...(rotating !== undefined && { rotating: { ...rotating, ...(older !== undefined && { older }) } }),
  };
}
