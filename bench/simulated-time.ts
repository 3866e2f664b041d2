import type { Journal } from '../local/core/journal.ts';
import { latencyMs } from './rotation-assumptions.ts';

/** How often what was called: by `service operation`, e.g. `dynamodb GetItem`. */
export type Calls = ReadonlyMap<string, number>;

/** Time that passes by what is called: each call to the local cloud takes as long as it is assumed to take in AWS. */
export interface SimulatedTime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Lets time pass in which nothing is called. */
  pass(ms: number): void;
  /** Something was called that the local cloud does not see. */
  called(service: string, operation: string): void;
  /** What was called in `work`, and how long it took. */
  during<Value>(work: () => Promise<Value>): Promise<Timed<Value>>;
  /** As `during`, of what somebody else does at the same time: it takes nobody's time and is in nobody's count. */
  meanwhile<Value>(work: () => Promise<Value>): Promise<Timed<Value>>;
}

export interface Timed<Value> {
  readonly value: Value;
  readonly calls: Calls;
  readonly tookMs: number;
}

export function createSimulatedTime(journal: Journal, begin: number): SimulatedTime {
  let time = begin;
  let seen = journal.lastSeq;
  let counts = new Map<string, number>();
  const requests = new Set<string>();

  function called(service: string, operation: string): void {
    const name = `${service} ${operation}`;
    const ms = latencyMs[service];
    if (ms === undefined) throw new Error(`no latency is assumed for ${name}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    time += ms;
  }

  function now(): number {
    for (const { seq, service, operation, requestId } of journal.since(seen)) {
      seen = seq;
      // A call that needs several permissions has several entries; what a service calls on its caller's behalf is a call of its own.
      const request = `${requestId} ${service} ${operation}`;
      if (requests.has(request)) continue;
      requests.add(request);
      called(service, operation);
    }
    return time;
  }

  async function during<Value>(work: () => Promise<Value>): Promise<Timed<Value>> {
    const before = now();
    counts = new Map();
    const value = await work();
    const tookMs = now() - before;
    return { value, calls: counts, tookMs };
  }

  return {
    now,
    during,
    async meanwhile(work) {
      const [before, own] = [now(), counts];
      const timed = await during(work);
      [time, counts] = [before, own];
      return timed;
    },
    called(service, operation) {
      now();
      called(service, operation);
    },
    pass(ms) {
      time = now() + ms;
    },
  };
}

/** How many calls there were in all, or of what `service` and `operations` name. */
export function countOf(calls: Calls, service?: string, operations?: ReadonlySet<string>): number {
  let count = 0;
  for (const [name, times] of calls) {
    const [of = '', operation = ''] = name.split(' ');
    if ((service === undefined || of === service) && (operations === undefined || operations.has(operation))) count += times;
  }
  return count;
}

export function sumOf(all: readonly Calls[]): Calls {
  const sum = new Map<string, number>();
  for (const calls of all) for (const [name, times] of calls) sum.set(name, (sum.get(name) ?? 0) + times);
  return sum;
}
