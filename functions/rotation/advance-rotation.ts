import { failureOf } from '../shared/consume-message.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialId, TenantId } from '../shared/identifiers.ts';
import { activeTenant } from '../tenants/active-tenant.ts';
import type { CredentialItem, TenantItem } from '../tenants/registry.ts';
import { dueAt, notDue } from '../tenants/rotation-plan.ts';
import { carryOut } from './carry-out-step.ts';
import { decideRequest } from './decide-request.ts';
import { decide, isRevoked, type Observations, type Step } from './decide-rotation.ts';
import type { RotationRequested } from './events.ts';
import { isOvertaken } from './late-worker.ts';
import type { Change } from './rotation-changes.ts';
import type { Held, RotationDeps, RotationStores } from './rotation-deps.ts';
import { setBack } from './set-back.ts';
import { strategyOf } from './work-on-keys.ts';

export interface Advance {
  readonly tenantId: TenantId;
  readonly credentialId: CredentialId;
  /** Milliseconds since the epoch: by then this run has ended. */
  readonly deadline: number;
  /** When the credential was due, as the sweep saw it: one that is due at another time by now was dealt with. */
  readonly dueAt?: number;
  /** What somebody asks for: it comes before what is due. */
  readonly asked?: { readonly request: RotationRequested; readonly eventId: string };
}

/** A step is not begun when less time than this is left: most take a few seconds. */
const stepMs = 20_000;
/** A run waits so long by itself rather than leave the rest to the sweep, which comes by once a minute. */
const patienceMs = 10_000;

/**
 * Advances a credential's rotation as far as it goes now. The item is believed, not the message. Whatever ends this run early, the credential is due again when its
 * hold ends, and the step is repeated then.
 *
 * @throws CordonError of a request: CREDENTIAL_UNKNOWN | EVENT_CONTRADICTS | TENANT_* and, retryable, CONFLICT while another run holds the credential | AWS_UNAVAILABLE.
 *   Of a step: not retryable, for what an operator should know; the credential was given back before, due again later.
 */
export async function advanceRotation(deps: RotationDeps, advance: Advance): Promise<void> {
  const stores = await deps.openStores(advance.tenantId);
  const [tenant, item] = await Promise.all([
    advance.asked ? activeTenant(stores.registry, advance.tenantId) : stores.registry.tenant(advance.tenantId),
    stores.registry.credential(advance.tenantId, advance.credentialId),
  ]);
  if (!tenant || !item) {
    if (!advance.asked) return;
    throw new CordonError('CREDENTIAL_UNKNOWN', `tenant ${advance.tenantId} has no credential ${advance.credentialId}`);
  }
  const begun = await begin(deps, stores, tenant, item, advance);
  if (begun) await run(deps, begun.held, begun.seen);
}

interface Begun {
  readonly held: Held;
  readonly seen: Observations;
}

/** Takes the credential for this run, with what was asked for; undefined when there is nothing to do now. */
async function begin(
  deps: RotationDeps,
  stores: RotationStores,
  tenant: TenantItem,
  item: CredentialItem,
  { deadline, dueAt: sweptAt, asked }: Advance,
): Promise<Begun | undefined> {
  const now = deps.clock();
  const leased = now < item.leaseUntil;
  if (!asked && (leased || item.dueAt === undefined || now < item.dueAt || (sweptAt !== undefined && sweptAt !== item.dueAt)))
    return undefined;
  let strategy: Observations['strategy'];
  try {
    strategy = strategyOf(deps, item);
  } catch (error) {
    if (asked) throw error;
    await setBack(deps, { stores, tenant, item, deadline }, failureOf(error));
    return undefined;
  }
  const decision = asked && decideRequest(item, { ...asked, rotationId: deps.nextId(), strategy, now });
  if (decision?.next === 'refuse') throw decision.error;
  if (decision?.next === 'nothing') return undefined;
  if (leased) throw new CordonError('CONFLICT', `credential ${item.credentialId} is held by another run`, { retryable: true });
  if (decision?.next === 'mint') {
    if (asked) await mintAnew(deps, stores, item, decision.change, asked.request);
    return undefined;
  }
  const change: Change = decision?.change ?? {};
  const seen: Observations = { tenant: tenantOf(tenant), strategy, begunAttempt: change.rotating?.pending?.attempt };
  const first = decision ? undefined : decide(item, now, seen);
  if (first?.next === 'wait' || first?.next === 'rest') {
    await stores.registry.changeCredential(item, dueAfter(item, first));
    return undefined;
  }
  const hold = { leaseUntil: deadline, ...dueAt(item, deadline) };
  // Beginning is one write with taking the credential: an idle one is due only as long as it is not taken.
  const outcome = first?.next === 'begin' ? await carryOut(deps, { stores, tenant, item, deadline }, first, seen) : {};
  try {
    const held = await stores.registry.changeCredential(item, { ...change, ...outcome.change, ...hold });
    return { held: { stores, tenant, item: held, deadline }, seen: { ...seen, ...outcome.seen } };
  } catch (error) {
    // Somebody else was first: what is due is theirs now. A request comes again.
    if (!asked && error instanceof CordonError && error.code === 'CONFLICT') return undefined;
    throw error;
  }
}

async function run(deps: RotationDeps, begun: Held, observed: Observations): Promise<void> {
  const { registry } = begun.stores;
  let held = begun;
  let seen = observed;
  try {
    for (;;) {
      const now = deps.clock();
      const step = decide(held.item, now, seen);
      if (step.next === 'wait' && step.until - now <= patienceMs && step.until + stepMs < held.deadline) {
        await deps.pause(step.until - now);
        seen = { ...seen, nextAccepted: undefined, oldRefused: undefined, drained: undefined };
        continue;
      }
      if (step.next === 'wait' || step.next === 'rest' || now + stepMs > held.deadline) {
        const { rotating } = held.item;
        await registry.changeCredential(held.item, { rotating, leaseUntil: 0, ...dueAfter(held.item, step, now) });
        return logged(deps, held.item, step);
      }
      const { change, note, seen: learned } = await carryOut(deps, held, step, seen);
      seen = { ...seen, ...learned };
      const item = noted(held.item, note);
      const over = change !== undefined && 'rotating' in change && change.rotating === undefined;
      const written = change && (await registry.changeCredential(item, over ? { ...change, leaseUntil: 0 } : change));
      const unwanted = isRevoked(held.item, held.item.rotating?.pending?.versionId);
      held = { ...held, item: written ?? item };
      if (over) return logged(deps, held.item, step);
      if (step.next === 'giveUp' && held.item.rotating?.phase === 'creating' && !unwanted)
        throw new CordonError('PROVIDER_REFUSED', `${held.item.provider} does not accept the key that it made`);
    }
  } catch (error) {
    const failure = failureOf(error);
    // Who was held up for long is out of its session, and has to know all the more whether somebody else has taken over.
    const stores = await deps.openStores(held.item.tenantId).catch(() => held.stores);
    const still: Held = { ...held, stores };
    if (failure.code === 'CONFLICT' && (await isOvertaken(deps, still, seen))) return;
    await setBack(deps, still, failure, () => isOvertaken(deps, still, seen));
  }
}

function noted(item: CredentialItem, note: Partial<NonNullable<CredentialItem['rotating']>> | undefined): CredentialItem {
  return note && item.rotating ? { ...item, rotating: { ...item.rotating, ...note } } : item;
}

function dueAfter(item: CredentialItem, step: Step, now = 0) {
  if (step.next === 'rest') return notDue;
  return dueAt(item, step.next === 'wait' ? step.until : now);
}

function tenantOf({ status }: TenantItem): Observations['tenant'] {
  if (status === 'active') return 'active';
  return status === 'offboarded' ? 'gone' : 'waiting';
}

/** Nothing is stored: under the new epoch whoever uses the credential gets a token of its own. */
async function mintAnew(
  { announcer, nextId }: RotationDeps,
  { registry }: RotationStores,
  item: CredentialItem,
  change: Change,
  { requestedBy, why, emergency }: RotationRequested,
): Promise<void> {
  const { tenantId, credentialId, provider } = item;
  if (Object.keys(change).length > 0) await registry.changeCredential(item, change);
  await announcer.announce('CredentialRotated', {
    ...{ version: 1, tenantId, credentialId, provider, rotationId: nextId(), requestedBy, why },
    reason: emergency ? 'emergency' : 'requested',
  });
}

function logged({ log }: RotationDeps, item: CredentialItem, step: Step): void {
  const { rotating, credentialId } = item;
  log.info('a rotation was advanced', {
    credentialId,
    step: step.next,
    phase: rotating?.phase,
    rotationId: rotating?.rotationId,
    dueAt: item.dueAt,
  });
}
