import type { Clock, NextId } from '../shared/clock.ts';
import { CordonError, type CordonErrorCode } from '../shared/errors.ts';
import type { IntentEntry, Outcome, Proof } from './attribution-entry.ts';
import type { AttributionStore } from './attribution-store.ts';

export interface AttributionDeps {
  readonly store: Pick<AttributionStore, 'record'>;
  readonly clock: Clock;
  readonly nextId: NextId;
}

/** What is about to be done; ID and time are added here. */
export type Intent = Omit<IntentEntry, 'id' | 'at' | 'kind'>;

/** What the work may add to its outcome, for what is only known afterwards. */
export interface WorkResult<Value> {
  readonly value: Value;
  readonly credentialVersion?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly proof?: Proof;
}

/**
 * Does `work` between a durable INTENT and its OUTCOME. If the intent cannot be recorded, the work does not run: no entry, no use.
 * If only the outcome cannot be recorded, that is the error: the work was done, and its entry will read as `unknown`.
 *
 * @returns the value of the work
 * @throws what recording throws, or what the work throws, after its refusal or failure is on record
 */
export async function attributed<Value>(
  deps: AttributionDeps,
  intent: Intent,
  work: (id: string) => Promise<WorkResult<Value>>,
): Promise<Value> {
  const id = deps.nextId();
  await deps.store.record({ ...intent, id, at: iso(deps.clock()), kind: 'INTENT' });
  const end = (outcome: Outcome, added: Partial<WorkResult<unknown>> = {}): Promise<void> =>
    deps.store.record({
      ...intent,
      ...(added.credentialVersion !== undefined && { credentialVersion: added.credentialVersion }),
      context: { ...intent.context, ...added.context },
      id,
      at: iso(deps.clock()),
      kind: 'OUTCOME',
      outcome,
      ...(added.proof !== undefined && { proof: added.proof }),
    });

  let done: WorkResult<Value>;
  try {
    done = await work(id);
  } catch (error) {
    await endBestEffort(() => end(outcomeOf(error)));
    throw error;
  }
  await end({ result: 'succeeded' }, done);
  return done.value;
}

/** The work's own error matters more than that its outcome could not be recorded; without an outcome the entry reads as `unknown`, which is true. */
async function endBestEffort(record: () => Promise<void>): Promise<void> {
  try {
    await record();
  } catch (error) {
    if (!(error instanceof CordonError)) throw error;
  }
}

const refusals: ReadonlySet<CordonErrorCode> = new Set(['ACCESS_REFUSED', 'PROVIDER_REFUSED', 'KEY_REFUSED', 'CUSTOMER_KEY_REFUSED']);

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof CordonError)) return { result: 'failed' };
  return { result: refusals.has(error.code) ? 'refused' : 'failed', code: error.code };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
