import { failureOf } from '../shared/consume-message.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { carryOut } from './carry-out-revocation.ts';
import { counted, decideRevocation, type Tally } from './decide-revocation.ts';
import type { Revocation } from './revocation.ts';
import type { RevocationDeps, RevocationStores } from './revocation-deps.ts';
import { neverDue, revocationDue } from './revocation-due.ts';

export interface Advance {
  readonly tenantId: TenantId;
  readonly revocationId: string;
  /** Milliseconds since the epoch: by then this run has ended. */
  readonly deadline: number;
  /** When it was due, as the sweep saw it: one that is due at another time by now was dealt with. */
  readonly dueAt?: number | undefined;
  /** As this very run has begun it. */
  readonly begun?: Revocation | undefined;
}

/** Nothing is begun when less time than this is left. */
export const stepMs = 20_000;
/** A run waits so long by itself rather than leave the rest to the sweep, which comes by once a minute. */
const patienceMs = 10_000;
/** After so many runs in a row that failed, an operator is told; and again after as many more. */
const patienceRuns = 5;
const longestSetbackMs = 15 * 60_000;

/**
 * Advances what follows from a revocation as far as it goes now. The item is believed, not the message. Whatever ends this run early, it is due again when its hold
 * ends, and the step is repeated then. It is in force all along.
 *
 * @throws CordonError for what an operator should know; it was given back before, due again later
 */
export async function advanceRevocation(deps: RevocationDeps, advance: Advance): Promise<void> {
  const stores = await deps.openStores(advance.tenantId);
  const held = advance.begun ?? (await hold(deps, stores, advance));
  if (held) await run(deps, stores, held, advance.deadline);
}

/** Takes it for this run; undefined when it is not due, is at work elsewhere, or somebody else was first. */
async function hold(
  deps: RevocationDeps,
  { revocations }: RevocationStores,
  { tenantId, revocationId, dueAt, deadline }: Advance,
): Promise<Revocation | undefined> {
  const item = await revocations.revocation(tenantId, revocationId);
  const now = deps.clock();
  if (item?.dueAt === undefined || now < item.leaseUntil || now < item.dueAt || (dueAt !== undefined && dueAt !== item.dueAt))
    return undefined;
  return unlessOvertaken(() =>
    revocations.changeRevocation(item, { attempt: item.attempt + 1, leaseUntil: deadline, ...revocationDue(item, deadline) }),
  );
}

async function run(deps: RevocationDeps, stores: RevocationStores, held: Revocation, deadline: number): Promise<void> {
  const { revocations } = stores;
  const isOver = (): boolean => deps.clock() + stepMs > deadline;
  let item = held;
  let tally: Tally | undefined;
  let before: Tally | undefined;
  let problem: CordonError | undefined;
  try {
    for (;;) {
      const now = deps.clock();
      const step = decideRevocation(item, now, tally);
      if (step.next === 'wait' && step.until - now <= patienceMs && step.until + stepMs < deadline) {
        await deps.pause(step.until - now);
        [before, tally] = [tally, undefined];
        continue;
      }
      if (step.next === 'wait' || step.next === 'rest' || isOver()) {
        const due = step.next === 'rest' ? neverDue : revocationDue(item, step.next === 'wait' ? step.until : now);
        await revocations.changeRevocation(item, { ...counted(tally), leaseUntil: 0, setbacks: 0, ...due });
        deps.log.info('a revocation was advanced', { revocationId: item.revocationId, step: step.next, dueAt: due.dueAt });
        break;
      }
      const done = await carryOut(deps, { stores, item, deadline, isOver, tally: tally ?? before }, step);
      problem ??= done.problem;
      if (done.change) item = await revocations.changeRevocation(item, done.change);
      tally = done.tally;
      if (item.status === 'done') break;
    }
  } catch (error) {
    return setBack(deps, stores, item, failureOf(error));
  }
  if (problem) throw new CordonError(problem.code, problem.message, { cause: problem });
}

/** Gives it back after this run failed on it, due again later the more often that happened. When that cannot be written, the hold ends by itself. */
async function setBack(deps: RevocationDeps, { revocations }: RevocationStores, item: Revocation, failure: CordonError): Promise<void> {
  if (failure.code === 'CONFLICT') return;
  const { revocationId } = item;
  const setbacks = item.setbacks + 1;
  const delayMs = Math.max(Math.min(2 ** setbacks * 1000, longestSetbackMs), (failure.retryAfterSeconds ?? 0) * 1000);
  try {
    await revocations.changeRevocation(item, { setbacks, leaseUntil: 0, ...revocationDue(item, deps.clock() + delayMs) });
  } catch (error) {
    if (error instanceof CordonError && error.code === 'CONFLICT') return;
    deps.log.error('a revocation could not be given back; its hold ends by itself', error, { revocationId });
  }
  deps.log.warn('a revocation is gone on with later', { revocationId, code: failure.code, setbacks, reason: failure.message });
  if (!failure.retryable || setbacks % patienceRuns === 0) throw new CordonError(failure.code, failure.message, { cause: failure });
}

async function unlessOvertaken(write: () => Promise<Revocation>): Promise<Revocation | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof CordonError && error.code === 'CONFLICT') return undefined;
    throw error;
  }
}
