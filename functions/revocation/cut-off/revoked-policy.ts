import type { TenantId, UserId } from '../../shared/identifiers.ts';
import { type CutOffEntry, endOf, instantOf } from './cut-off-entry.ts';
import { denying, nothingDenied, type PolicyDocument, type Refusal } from './revoked-statements.ts';

export interface RevokedPolicy {
  readonly document: PolicyDocument;
  /** IDs of the entries that it covers. */
  readonly covered: readonly string[];
  /** IDs of those for which there is no room. */
  readonly waiting: readonly string[];
}

type Cut = Pick<CutOffEntry, 'tenantId' | 'userId' | 'before'> & { readonly id: string };
type Instants<Key> = ReadonlyMap<Key, number>;

/** What is to be refused: each tenant and each user once, with the latest instant. */
interface Cuts {
  readonly tenants: Instants<TenantId>;
  readonly users: ReadonlyMap<TenantId, Instants<UserId>>;
}

/** Characters without white space, of which the document has none. Source: IAM User Guide, "IAM and AWS STS quotas" (managed policy). */
export const maxPolicyLength = 6144;
const minuteMs = 60_000;

/**
 * The policy that refuses what the entries say, as far as there is room. What is in it is decided from the entries alone: the same ones make the same document.
 *
 * When it would be too long, more is refused than asked for, but never a session of a tenant that is in no entry: users become their whole tenant, whose sessions are minted
 * anew; then neighbouring minutes become one, with the later instant. When even the tenants alone are too many, the newest are kept: sessions of Cordon last 15 minutes,
 * so those of the oldest have the least left.
 *
 * @param now milliseconds since the epoch: entries that have ended by then are left out
 */
export function revokedPolicy(entries: readonly Cut[], now: number): RevokedPolicy {
  const live = entries.filter((entry) => endOf(entry) > now);
  if (live.length === 0) return { document: nothingDenied, covered: [], waiting: [] };
  const cuts = strongest(live);
  const refusals = withFewerUsers(cuts) ?? withFewerBuckets(cuts.users.size === 0 ? cuts : collapsed(cuts, [...cuts.users.keys()]));
  if (refusals !== undefined) return { document: denying(refusals), covered: idsOf(live), waiting: [] };
  const { refusal, kept } = newest(collapsed(cuts, [...cuts.users.keys()]));
  return {
    document: denying([refusal]),
    covered: idsOf(live.filter(({ tenantId }) => kept.has(tenantId))),
    waiting: idsOf(live.filter(({ tenantId }) => !kept.has(tenantId))),
  };
}

function strongest(entries: readonly Cut[]): Cuts {
  const tenants = new Map<TenantId, number>();
  for (const entry of entries) if (entry.userId === undefined) raise(tenants, entry.tenantId, instantOf(entry));
  const users = new Map<TenantId, Map<UserId, number>>();
  for (const entry of entries) {
    const { tenantId, userId } = entry;
    // The tenant's own cut-off is at least as late: its users need none.
    if (userId === undefined || instantOf(entry) <= (tenants.get(tenantId) ?? Number.NEGATIVE_INFINITY)) continue;
    const ofTenant = users.get(tenantId) ?? new Map<UserId, number>();
    raise(ofTenant, userId, instantOf(entry));
    users.set(tenantId, ofTenant);
  }
  return { tenants, users };
}

function raise<Key>(instants: Map<Key, number>, key: Key, instant: number): void {
  instants.set(key, Math.max(instants.get(key) ?? Number.NEGATIVE_INFINITY, instant));
}

/** Each of these tenants is refused as a whole, at the latest instant of any of its users. */
function collapsed({ tenants, users }: Cuts, tenantIds: readonly TenantId[]): Cuts {
  const [all, left] = [new Map(tenants), new Map(users)];
  for (const tenantId of tenantIds) {
    for (const instant of users.get(tenantId)?.values() ?? []) raise(all, tenantId, instant);
    left.delete(tenantId);
  }
  return { tenants: all, users: left };
}

/** Makes as few tenants whole as it takes, those with the most users first; undefined when all of them are not enough. Each one makes the document shorter. */
function withFewerUsers(cuts: Cuts): readonly Refusal[] | undefined {
  const byUsers = [...cuts.users].sort(([a, ofA], [b, ofB]) => ofB.size - ofA.size || compare(a, b)).map(([tenantId]) => tenantId);
  const after = (count: number): readonly Refusal[] => refusalsOf(collapsed(cuts, byUsers.slice(0, count)));
  if (!fits(after(byUsers.length))) return undefined;
  let [few, enough] = [-1, byUsers.length];
  while (enough - few > 1) {
    const middle = (few + enough) >> 1;
    if (fits(after(middle))) enough = middle;
    else few = middle;
  }
  return after(enough);
}

/** Puts minutes that are nearest to each other together until it fits; undefined when one for all does not. */
function withFewerBuckets({ tenants }: Cuts): readonly Refusal[] | undefined {
  const buckets = tenantBuckets(tenants);
  while (!fits(buckets) && buckets.length > 1) {
    const gaps = buckets.slice(1).map(({ instant }, index) => instant - (buckets[index]?.instant ?? 0));
    const at = gaps.indexOf(Math.min(...gaps));
    const [earlier, later] = buckets.slice(at, at + 2);
    if (earlier === undefined || later === undefined) break;
    buckets.splice(at, 2, { ...later, tenantIds: [...earlier.tenantIds, ...later.tenantIds].sort(compare) });
  }
  return fits(buckets) ? buckets : undefined;
}

function newest({ tenants }: Cuts): { readonly refusal: Refusal; readonly kept: ReadonlySet<TenantId> } {
  const byAge = [...tenants].sort(([a, atA], [b, atB]) => atB - atA || compare(a, b));
  const instant = byAge[0]?.[1] ?? 0;
  const tenantIds: TenantId[] = [];
  // Quotes and a comma for each.
  let room = maxPolicyLength - JSON.stringify(denying([{ instant, tenantIds }])).length + 1;
  for (const [tenantId] of byAge) {
    room -= tenantId.length + 3;
    if (room < 0) break;
    tenantIds.push(tenantId);
  }
  return { refusal: { instant, tenantIds: tenantIds.sort(compare) }, kept: new Set(tenantIds) };
}

/** One refusal for each minute of tenants, and one for each minute and tenant of users: a condition holds for every pair of its values, and the same user ID may exist in two tenants. */
function refusalsOf({ tenants, users }: Cuts): readonly Refusal[] {
  const ofUsers = [...users]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([tenantId, instants]) =>
      bucketsOf(instants).map(({ instant, members }) => ({ instant, tenantIds: [tenantId], userIds: members })),
    );
  return [...tenantBuckets(tenants), ...ofUsers];
}

const tenantBuckets = (tenants: Instants<TenantId>): Refusal[] =>
  bucketsOf(tenants).map(({ instant, members }) => ({ instant, tenantIds: members }));

/** By the minute of their instants, in order; each with the latest instant in it. */
function bucketsOf<Key extends string>(instants: Instants<Key>): { readonly instant: number; readonly members: readonly Key[] }[] {
  const buckets = new Map<number, { instant: number; members: Key[] }>();
  for (const [key, instant] of instants) {
    const minute = Math.floor(instant / minuteMs);
    const bucket = buckets.get(minute) ?? { instant, members: [] };
    bucket.instant = Math.max(bucket.instant, instant);
    bucket.members.push(key);
    buckets.set(minute, bucket);
  }
  for (const { members } of buckets.values()) members.sort(compare);
  return [...buckets.values()].sort((a, b) => a.instant - b.instant);
}

const fits = (refusals: readonly Refusal[]): boolean => JSON.stringify(denying(refusals)).length <= maxPolicyLength;
const idsOf = (entries: readonly Cut[]): string[] => entries.map(({ id }) => id);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
