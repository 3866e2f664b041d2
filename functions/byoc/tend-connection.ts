import { failureOf } from '../shared/consume-message.ts';
import { CordonError } from '../shared/errors.ts';
import type { DueMessage } from '../sweep/due-message.ts';
import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import { type Connection, connectionPrefix, type NewConnection } from './connection.ts';
import { decideAfterProbe, decideNext, type NextStep } from './decide-next.ts';
import { releaseConnection } from './release-connection.ts';
import { held, settleConnection } from './settle-connection.ts';
import { verifyConnection } from './verify-connection.ts';

/**
 * Advances a connection that is due by one step. The item is believed, not the message: one that was dealt with meanwhile is left alone. Whatever ends this run
 * early, the connection is due again when its hold ends, and the step is repeated then.
 *
 * @param deadline milliseconds since the epoch: by then this run has ended
 * @throws CordonError when the connection is not understood or IAM refuses it; and for what an operator should know, not retryable then: the connection is given back before
 */
export async function tendConnection(deps: ByocDeps, { tenantId, sk, dueAt }: DueMessage, deadline: number): Promise<void> {
  const begun = await begin(deps, { tenantId, customerAccountId: accountOf(sk), dueAt }, deadline);
  if (!begun) return;
  const { stores, step, started } = begun;
  let current = started;
  try {
    if (step.next !== 'settle') {
      const change = step.next === 'probe' ? await probed(deps, stores, started) : step.change;
      // A new status is told under the same hold.
      const kept = change.announced === false ? held(started, started.leaseUntil, change) : { ...change, leaseUntil: 0 };
      current = await stores.connections.changeConnection(started, kept);
    }
    if (!current.announced) current = await settleConnection(deps, stores, current);
  } catch (error) {
    await setBack(deps, stores, current, error);
    return;
  }
  deps.log.info('a connection was tended', {
    step: step.next,
    status: current.status,
    reason: current.statusReason?.code,
    dueAt: current.dueAt,
  });
}

interface Begun {
  readonly stores: ByocStores;
  readonly step: Exclude<NextStep, { readonly next: 'nothing' }>;
  /** The connection, held by this run. */
  readonly started: Connection;
}

/** Reads the connection and takes it; undefined when there is nothing to do, or AWS cannot be reached: the sweep asks again in a minute. */
async function begin(
  deps: ByocDeps,
  { tenantId, customerAccountId, dueAt }: Pick<DueMessage, 'tenantId' | 'dueAt'> & Pick<Connection, 'customerAccountId'>,
  deadline: number,
): Promise<Begun | undefined> {
  try {
    const stores = await deps.openStores(tenantId);
    const item = await stores.connections.connection(tenantId, customerAccountId);
    if (item?.dueAt !== dueAt) return undefined;
    const step = decideNext(item, deps.clock());
    if (step.next === 'nothing') return undefined;
    const started = await hold(stores, item, deadline);
    return started && { stores, step, started };
  } catch (error) {
    if (!(error instanceof CordonError) || error.code !== 'AWS_UNAVAILABLE') throw error;
    deps.log.warn('a connection could not be reached; it is due still', { code: error.code, reason: error.message });
    return undefined;
  }
}

/** Takes the connection for this run; undefined when somebody else was first. */
async function hold({ connections }: ByocStores, item: Connection, until: number): Promise<Connection | undefined> {
  try {
    return await connections.changeConnection(item, held(item, until, {}));
  } catch (error) {
    if (error instanceof CordonError && error.code === 'CONFLICT') return undefined;
    throw error;
  }
}

async function probed(deps: ByocDeps, stores: ByocStores, item: Connection): Promise<Partial<NewConnection>> {
  const result = await verifyConnection(deps, stores, item);
  return decideAfterProbe(item, deps.clock(), result);
}

/** @throws CordonError not retryable: the message is put aside, and the connection is due again all the same */
async function setBack(deps: ByocDeps, stores: ByocStores, item: Connection, error: unknown): Promise<void> {
  const failure = failureOf(error);
  const { code, retryable, message } = failure;
  const serious = await releaseConnection(deps, stores, item, failure);
  if (!serious) return deps.log.warn('a connection is tended again later', { code, retryable, reason: message });
  throw new CordonError(code, message, { cause: error });
}

export function accountOf(sk: string): string {
  return sk.slice(connectionPrefix.length);
}
