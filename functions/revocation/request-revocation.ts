import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { advanceRevocation } from './advance-revocation.ts';
import type { Asked } from './asked.ts';
import { decideSubject, idOf, type Known, kindOf } from './decide-subject.ts';
import type { NewRevocation, Revocation } from './revocation.ts';
import type { RevocationDeps, RevocationStores } from './revocation-deps.ts';
import { revocationDue } from './revocation-due.ts';
import type { Tombstone } from './revocation-store.ts';

/** Somebody else writes the subject at the same time: so often it is read again at once. */
const maxReads = 5;

/**
 * Puts a revocation, a suspension or a reinstatement in force by one write, and then does what follows from it as far as it goes now. The rest is due later. Repeating
 * the event changes nothing that is done.
 *
 * @throws CordonError TENANT_OFFBOARDED | EVENT_CONTRADICTS with nothing changed; CREDENTIAL_UNKNOWN | CONFLICT (retryable); and as the stores. What goes wrong later is
 *   written down, and thrown only when an operator should know.
 */
export async function requestRevocation(deps: RevocationDeps, asked: Asked, delivery: Delivery): Promise<void> {
  const stores = await deps.openStores(asked.tenantId);
  const begun = await begin(deps, stores, asked, delivery);
  if (begun) await advanceRevocation(deps, { ...asked, revocationId: delivery.eventId, deadline: delivery.deadline, begun });
}

/** Undefined when it was begun before: then it is due, and the sweep brings it. */
async function begin(deps: RevocationDeps, stores: RevocationStores, asked: Asked, delivery: Delivery): Promise<Revocation | undefined> {
  for (let reads = 1; ; reads += 1) {
    const [before, known] = await Promise.all([stores.revocations.revocation(asked.tenantId, delivery.eventId), knownOf(stores, asked)]);
    if (before) return undefined;
    const now = deps.clock();
    const subject = decideSubject(known, { asked, revocationId: delivery.eventId, time: delivery.time, now });
    try {
      return await stores.revocations.begin(newRevocation(asked, delivery, now), subject);
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'CONFLICT' || reads === maxReads) throw error;
    }
  }
}

async function knownOf({ registry, revocations }: RevocationStores, asked: Asked): Promise<Known> {
  const { tenantId, userId, credentialId } = asked;
  const of = kindOf(asked);
  const stone = (): Promise<Tombstone | undefined> => revocations.tombstone(tenantId, of, idOf(of, asked));
  // Together, and waited for together: a rejection that nobody waits for ends the process, and whatever else it was doing.
  const both = async <Item>(item: Promise<Item | undefined> | undefined) => {
    const [found, tombstone] = await Promise.all([item, stone()]);
    return { item: found, tombstone };
  };
  if (of === 'TENANT') return { of, ...(await both(registry.tenant(tenantId))) };
  if (of === 'USER') return { of, ...(await both(userId && registry.user(tenantId, userId))) };
  if (of === 'CREDENTIAL') return { of, ...(await both(credentialId && registry.credential(tenantId, credentialId))) };
  return { of, tombstone: await stone() };
}

function newRevocation(asked: Asked, { eventId, time, deadline }: Delivery, now: number): NewRevocation {
  return {
    ...asked,
    kind: 'REVOCATION',
    revocationId: eventId,
    requestedAt: time,
    inForceAt: now,
    status: 'open',
    epoch: 0,
    announced: false,
    told: false,
    marked: false,
    counts: { credentials: 0, versions: 0, confirmed: 0, unconfirmed: 0 },
    setbacks: 0,
    // Held by this run: nobody else works on it before the deadline, and then it is due.
    attempt: 1,
    leaseUntil: deadline,
    ...revocationDue(asked, deadline),
  };
}
