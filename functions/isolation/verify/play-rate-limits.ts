import { z } from 'zod';
import { fromItem } from '../../shared/attribute-values.ts';
import { canaryEnvironments, canaryProvider } from '../canaries.ts';
import type { Check } from '../check.ts';
import type { BrokerAnswer } from './broker-client.ts';
import { keyOf, registryPartition } from './places.ts';
import { notUsed } from './play-usage-log.ts';
import type { Canary, Stage } from './stage.ts';

/** Calls that are made as fast as they go: a counter refills while they are under way. */
const burst = 8;

/** A limit at the provider counts against the tenant that caused it, because each has an account of its own there. */
export async function playRateLimits(stage: Stage, marker: string): Promise<readonly Check[]> {
  return [await accounts(stage), await counters(stage, marker)];
}

function check(id: string, outcome: Check['outcome'], detail: string): Check {
  return { id: `rate-limit-attribution/${id}`, test: 'rate-limit-attribution', service: 'provider-accounts', outcome, detail };
}

const tenant = z.object({ accounts: z.record(z.string(), z.object({ accountId: z.string().optional() })) });

/** As each canary's own registry item says. */
async function accounts({ a, b, places }: Stage): Promise<Check> {
  const accountOf = async ({ tenantId, tryCall }: Canary): Promise<string | undefined> => {
    const Key = keyOf(registryPartition(tenantId), 'TENANT');
    const answer = await tryCall({ service: 'dynamodb', operation: 'GetItem', input: { TableName: places.registryTable, Key } });
    const item = answer.kind === 'allowed' ? answer.result['Item'] : undefined;
    if (typeof item !== 'object' || item === null) return undefined;
    return tenant.safeParse(fromItem(Object.fromEntries(Object.entries(item)))).data?.accounts[canaryProvider]?.accountId;
  };
  const [ofA, ofB] = [await accountOf(a), await accountOf(b)];
  if (ofA === undefined || ofB === undefined)
    return check('accounts', 'not-verified', `The canaries’ accounts at ${canaryProvider} could not be read.`);
  return ofA === ofB
    ? check('accounts', 'failed', `Both canaries have the same account at ${canaryProvider}: whatever one uses counts against the other.`)
    : check('accounts', 'passed', `Each canary has an account of its own at ${canaryProvider}.`);
}

/** What the provider itself counts: A's calls have to be counted for A, and not for B. */
async function counters({ a, b, broker }: Stage, marker: string): Promise<Check> {
  const use = ({ token, name }: Canary, what: string): Promise<BrokerAnswer> =>
    broker.use(token, { environment: canaryEnvironments[name], marker: `${marker}-${what}` });
  const first = await use(b, 'limit-b-before');
  const calls = await Promise.all(Array.from({ length: burst }, (_, n) => use(a, `limit-a-${n}`)));
  const last = await use(b, 'limit-b-after');
  const bad = [first, ...calls, last].find(({ status }) => status !== 200);
  if (bad !== undefined) return check('counters', 'not-verified', notUsed(bad === first || bad === last ? b.tenantId : a.tenantId, bad));
  const usedByA = Math.max(...calls.map(({ limit }) => (limit === undefined ? 0 : limit.limit - limit.remaining)));
  if (first.limit === undefined || last.limit === undefined)
    return check('counters', 'not-verified', `${canaryProvider} does not say in its answers how much of a limit is left.`);
  return countedFor({ usedByA, before: first.limit.remaining, after: last.limit.remaining });
}

/**
 * Pure. What is left for B may have gone down by B's own calls, one each, and may have been refilled meanwhile.
 *
 * @param counts.usedByA the most that was seen to be used of A's limit during its calls
 * @param counts.before and `after`: what was left for B at its call before, and at its call after them
 */
export function countedFor({
  usedByA,
  before,
  after,
}: {
  readonly usedByA: number;
  readonly before: number;
  readonly after: number;
}): Check {
  const took = before - after;
  if (took > 1)
    return check('counters', 'failed', `${burst} calls of canary A took ${took - 1} from what is left for canary B: they share a limit.`);
  if (usedByA < 2)
    return check(
      'counters',
      'not-verified',
      `${burst} calls of canary A left no trace in its own limit: it refills faster than can be seen.`,
    );
  return check(
    'counters',
    'passed',
    `${burst} calls of canary A count against its own limit (${usedByA} used), and take nothing from canary B’s.`,
  );
}
