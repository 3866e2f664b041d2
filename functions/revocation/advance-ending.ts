import { failureOf } from '../shared/consume-message.ts';
import type { CordonError } from '../shared/errors.ts';
import type { CredentialItem, TenantItem } from '../tenants/registry.ts';
import { carryOut } from './carry-out-ending.ts';
import { decideEnding, type EndingSeen, type EndingStep, type EndingWork, nothingSeen } from './decide-ending.ts';
import type { Ending } from './ending.ts';
import type { EndingDeps, EndingOutcome, EndingStores } from './ending-deps.ts';

export type { EndingDeps, EndingStores } from './ending-deps.ts';

export interface HeldEnding {
  readonly stores: EndingStores;
  readonly tenant: TenantItem;
  readonly item: CredentialItem;
  /** Milliseconds since the epoch: by then this run has ended. */
  readonly deadline: number;
  /** True when other credentials wait for this run to have time for them: then it waits for nothing. */
  readonly hurried?: boolean;
}

/** A step is not begun when less time than this is left: most take a few seconds. */
const stepMs = 20_000;
/** A run waits so long by itself rather than be called again. */
const patienceMs = 10_000;
/** Another run writes at the same time: so often this one reads again, then it leaves the rest to the other. */
const patienceReads = 5;

/**
 * Advances what becomes of a revoked credential as far as it goes now. Nobody holds it meanwhile: every step may be repeated, and each write is conditional on the version
 * that was read, so that two runs at once do no harm. What did not work is written into `ending`, which says when to go on.
 *
 * @returns the item as it was last written
 * @throws CordonError ACCESS_REFUSED | ITEM_NOT_UNDERSTOOD, which an operator must know; written down before
 */
export async function advanceEnding(deps: EndingDeps, held: HeldEnding): Promise<CredentialItem> {
  const { stores, tenant, deadline, hurried = false } = held;
  const { registry } = stores;
  let { item } = held;
  let seen: EndingSeen = nothingSeen;
  let reads = 0;
  for (;;) {
    const now = deps.clock();
    const step = decideEnding(item, now, seen);
    const { ending } = item;
    if (step.next === 'rest' || ending === undefined) return item;
    const isShort = !hurried && step.next === 'wait' && step.until - now <= patienceMs && step.until + stepMs <= deadline;
    if (step.next === 'wait' && isShort) {
      await deps.pause(step.until - now);
      item = { ...item, ending: { ...waiting(ending, step), nextAt: ending.nextAt } };
      seen = nothingSeen;
      continue;
    }
    if (step.next !== 'wait' && now + stepMs > deadline) return item;
    try {
      if (step.next === 'wait') item = await registry.changeCredential(item, { ending: waiting(ending, step) });
      else {
        const outcome = await carryOut(deps, { stores, tenant, item, ending }, step);
        if (outcome.failure?.code === 'CONFLICT') throw outcome.failure;
        if (outcome.change) item = await registry.changeCredential(item, { ending: { ...ending, ...outcome.change } });
        seen = withOutcome(seen, step.next, outcome);
      }
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === 'CONFLICT' && ++reads <= patienceReads) {
        const current = await readAgain(deps, stores, item);
        if (current === undefined) return item;
        item = current;
        seen = nothingSeen;
        continue;
      }
      if (step.next === 'wait') {
        deps.log.error('how far the ending of a credential came could not be written', error, { credentialId: item.credentialId });
        return item;
      }
      seen = withOutcome(seen, step.next, { failure });
    }
    if (step.next === 'wait') return told(deps, item, seen);
  }
}

/** What an operator must know is not lost behind what passes. */
function withOutcome(seen: EndingSeen, step: EndingWork, { failure, answer, again }: EndingOutcome): EndingSeen {
  const tried = new Set(seen.tried).add(step);
  for (const one of again ?? []) tried.delete(one);
  const first = seen.failure !== undefined && !(failure !== undefined && isForOperator(failure)) ? seen.failure : failure;
  return { tried, failure: first, answer: answer ?? seen.answer };
}

/** The credential, left until it is to be gone on with. Throws what an operator must know. */
function told({ log }: EndingDeps, left: CredentialItem, { failure }: EndingSeen): CredentialItem {
  const { credentialId, ending } = left;
  const { phase, nextAt, problem, setbacks, revocationId } = ending ?? {};
  log.info('the ending of a credential waits', { credentialId, revocationId, phase, nextAt, problem, setbacks });
  if (failure !== undefined && isForOperator(failure)) throw failure;
  return left;
}

/** Undefined when it cannot be read now: then whoever wrote meanwhile has written when to go on. */
async function readAgain(
  deps: EndingDeps,
  { registry }: EndingStores,
  { tenantId, credentialId }: CredentialItem,
): Promise<CredentialItem | undefined> {
  try {
    return await registry.credential(tenantId, credentialId);
  } catch (error) {
    if (isForOperator(failureOf(error))) throw error;
    deps.log.error('a credential that is being ended could not be read', error, { credentialId });
    return undefined;
  }
}

/** It does not pass by itself, and is no matter of the provider's. */
function isForOperator({ code }: CordonError): boolean {
  return code === 'ACCESS_REFUSED' || code === 'ITEM_NOT_UNDERSTOOD';
}

function waiting(ending: Ending, { until, problem, after }: Extract<EndingStep, { next: 'wait' }>): Ending {
  return {
    ...ending,
    nextAt: until,
    setbacks: after === 'setback' ? ending.setbacks + 1 : 0,
    probes: after === 'probe' ? ending.probes + 1 : ending.probes,
    ...(problem !== undefined && { problem }),
  };
}
