/** Faults that a test asks for, by service, operation and the n-th call. Shared by the AWS services and the provider simulators. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError } from './aws-error.ts';

export const faultModes = ['before', 'after', 'delay', 'duplicate', 'crash'] as const;
type FaultMode = (typeof faultModes)[number];

/**
 * `before`: an error, HTTP 500 unless told otherwise, nothing done. `after`: the work is done, the answer is lost. `delay`: waits, then works. `duplicate`: done or delivered
 * twice. `crash`: the work is done, then the worker that called is terminated.
 */
export interface Fault {
  /** Signing name of an AWS service (`secretsmanager`) or name of a provider (`openai`). */
  readonly service: string;
  /** Operation, e.g. `CreateSecret`. */
  readonly action: string;
  /** Which matching call is hit, counted from the moment the fault is set; 1 is the next. */
  readonly nth: number;
  readonly mode: FaultMode;
  /** For `delay`: milliseconds of real time, 1000 when left out. */
  readonly delayMs?: number;
  /** For `before`: the HTTP status that is answered instead of 500 (400 when only `code` is given). */
  readonly status?: number;
  /** For `before` of an AWS service: the error's code instead of `InternalFailure`, e.g. `ThrottlingException`. */
  readonly code?: string;
}

export interface FaultTable {
  /** Throws RangeError when `nth` is not a whole number of 1 or more, `delayMs` is negative, or `status` is no error. */
  add(fault: Fault): void;
  /** Removes every fault that has all the given properties, and says how many. `{}` removes all. */
  remove(match: Partial<Fault>): number;
  clear(): void;
  /** Counts one call, and answers the fault that hits it. A fault that has hit is spent. */
  match(service: string, action: string): Fault | undefined;
  /** Faults still waiting for their call. */
  list(): readonly Fault[];
}

export function createFaultTable(): FaultTable {
  let waiting: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      if (!Number.isSafeInteger(fault.nth) || fault.nth < 1)
        throw new RangeError(`nth must be a whole number, 1 or more; got ${fault.nth}`);
      if (!faultModes.includes(fault.mode)) throw new RangeError(`mode must be one of ${faultModes.join(', ')}; got ${fault.mode}`);
      if (fault.delayMs !== undefined && !(fault.delayMs >= 0)) throw new RangeError(`delayMs must be 0 or more; got ${fault.delayMs}`);
      if (fault.status !== undefined && !(fault.status >= 400 && fault.status <= 599))
        throw new RangeError(`status must be from 400 to 599; got ${fault.status}`);
      waiting.push({ fault, left: fault.nth });
    },
    remove(match) {
      const before = waiting.length;
      waiting = waiting.filter(({ fault }) => !isLike(fault, match));
      return before - waiting.length;
    },
    clear() {
      waiting = [];
    },
    match(service, action) {
      let hit: Fault | undefined;
      for (const entry of [...waiting]) {
        if (entry.fault.service !== service || entry.fault.action !== action) continue;
        entry.left -= 1;
        // Of two faults due at the same call the first set wins; the other one hits the call after.
        if (entry.left > 0) continue;
        if (hit !== undefined) {
          entry.left = 1;
          continue;
        }
        hit = entry.fault;
        waiting = waiting.filter((other) => other !== entry);
      }
      return hit;
    },
    list: () => waiting.map(({ fault }) => fault),
  };
}

function isLike(fault: Fault, match: Partial<Fault>): boolean {
  return (
    (match.service === undefined || match.service === fault.service) &&
    (match.action === undefined || match.action === fault.action) &&
    (match.nth === undefined || match.nth === fault.nth) &&
    (match.mode === undefined || match.mode === fault.mode) &&
    (match.delayMs === undefined || match.delayMs === fault.delayMs) &&
    (match.status === undefined || match.status === fault.status) &&
    (match.code === undefined || match.code === fault.code)
  );
}

/** Before the work: waits for `delay`, throws for `before`. */
export async function beforeWork(fault: Fault | undefined): Promise<void> {
  if (fault?.mode === 'delay') await sleep(fault.delayMs ?? 1000);
  if (fault?.mode !== 'before') return;
  const { code, status } = fault;
  const message = code?.startsWith('Throttling') ? 'Rate exceeded' : 'The request failed before anything was done (injected fault).';
  throw new AwsError(code ?? 'InternalFailure', message, status ?? (code === undefined ? 500 : 400));
}

/** The work was done but nobody is told: the HTTP front drops the connection instead of sending this. */
export function answerLost(): AwsError {
  return new AwsError('InternalFailure', 'The answer was lost after the work was done (injected fault).', 500, { answerLost: true });
}

export function isAnswerLost(error: unknown): boolean {
  return error instanceof AwsError && error.extra['answerLost'] === true;
}
