/** The calls of a recorded run, as faults are set on them: by service, operation and n-th call. */
import type { Fault, FaultTable } from '../../local/core/faults.ts';
import type { JournalEntry } from '../../local/core/journal.ts';

export interface FaultPoint {
  readonly service: string;
  readonly action: string;
  /** Counted over the whole run, whoever called. */
  readonly nth: number;
}

/** `dynamodb PutItem 2`. */
export function pointName({ service, action, nth }: FaultPoint): string {
  return `${service} ${action} ${nth}`;
}

/** Numbers calls per service and action, and keeps those that are asked about. */
function numbered<Call extends { readonly service: string; readonly action: string }>(
  calls: readonly Call[],
  wanted: (call: Call) => boolean = () => true,
): FaultPoint[] {
  const seen = new Map<string, number>();
  return calls.flatMap((call) => {
    const { service, action } = call;
    const nth = (seen.get(`${service} ${action}`) ?? 0) + 1;
    seen.set(`${service} ${action}`, nth);
    return wanted(call) ? [{ service, action, nth }] : [];
  });
}

/** The AWS calls behind journal entries, in their order. A call that IAM must allow several things for has several entries. */
export function awsPoints(entries: readonly JournalEntry[], wanted: (entry: JournalEntry) => boolean): FaultPoint[] {
  const firstNeed = new Map<string, string>();
  const calls = entries.flatMap((entry) => {
    const { service, operation, requestId } = entry;
    const call = `${requestId} ${service} ${operation}`;
    const need = `${entry.action} ${entry.resource}`;
    const first = firstNeed.get(call) ?? need;
    firstNeed.set(call, first);
    return need === first ? [{ service, action: operation, entry }] : [];
  });
  return numbered(calls, ({ entry }) => wanted(entry));
}

/** The requests a provider has recorded, in their order: method and path with IDs replaced, as its faults are addressed. */
export function providerPoints(
  provider: { readonly name: string; readonly basePath: string },
  requests: readonly { readonly method: string; readonly path: string }[],
): FaultPoint[] {
  return numbered(
    requests.map(({ method, path }) => {
      const segments = path.slice(provider.basePath.length + 1).split('/');
      const named = segments.map((segment, index) => (segments[1] === 'projects' && (index === 2 || index === 4) ? '{id}' : segment));
      return { service: provider.name, action: `${method} /${named.join('/')}` };
    }),
  );
}

/** `npm run faults` says so. In `npm test` the longest campaigns leave out a part of what only repeats what other calls show. */
export const inFull = process.env['FAULTS'] === 'all';

/** In `npm test` every nth of them; in `npm run faults` all. */
export function everyNth<Item>(items: readonly Item[], nth: number): readonly Item[] {
  return inFull ? items : items.filter((_, index) => index % nth === 0);
}

/** What a provider can do to a request. */
export const providerTroubles = [
  { how: 'answers 500', mode: 'before', status: 500 },
  { how: 'answers 429', mode: 'before', status: 429 },
  { how: 'does it and its answer is lost', mode: 'after' },
  { how: 'does it twice', mode: 'duplicate' },
] as const;

/** Sets a fault on the n-th call from now and, with `times`, on those after it; `status` is what a provider answers in mode `before`. */
export function strike(
  faults: FaultTable,
  point: FaultPoint,
  { mode, status, delayMs, times = 1 }: Pick<Fault, 'mode' | 'delayMs'> & { readonly status?: number; readonly times?: number },
): void {
  for (let more = 0; more < times; more += 1) {
    const { service, action } = point;
    const fault = {
      service,
      action,
      nth: point.nth + more,
      mode,
      ...(status !== undefined && { status }),
      ...(delayMs !== undefined && { delayMs }),
    };
    faults.add(fault);
  }
}
