import type { Announcer } from '../../shared/announcer.ts';
import type { CredentialId, TenantId } from '../../shared/identifiers.ts';
import type { Log } from '../../shared/log.ts';
import { quietMs, type Suspicion, sharedLimit, spanMs } from './decide-shared.ts';
import type { observedDetailTypes, outboundEvents } from './events.ts';
import type { Pair, Tellings, Throttling, Throttlings } from './throttlings.ts';
import { togetherMs } from './together.ts';

export interface CorrelateDeps {
  readonly throttlings: Throttlings;
  readonly tellings: Tellings;
  readonly announcer: Announcer<typeof outboundEvents>;
  readonly log: Log;
}

/** More tenants than this at once, and it is the provider that throttles everybody: no two of them are a pair. */
export const crowd = 4;
const detailType: (typeof observedDetailTypes)[number] = 'ProviderThrottled';

/**
 * Keeps that a tenant was throttled, and looks whether somebody else keeps being throttled together with it. May be repeated and come in any order: of two tenants' beginnings
 * the one that is kept later sees the other.
 *
 * @param eventId of the event that tells of it, which the findings name
 * @throws CordonError as the ports
 */
export async function correlate(deps: CorrelateDeps, throttling: Throttling, eventId: string): Promise<void> {
  const { throttlings, log } = deps;
  const { tenantId, provider, at } = throttling;
  await throttlings.keep(throttling);
  // Was it throttled a moment ago, there is nothing to learn: what counts is the beginning.
  if ((await throttlings.of(tenantId, provider, { from: at - quietMs, to: at - 1 })).length > 0) return;
  const others = await othersAt(throttlings, throttling);
  if (others.length + 1 > crowd) {
    log.info('a provider throttles many tenants at once', { provider, tenants: others.length + 1 });
    return;
  }
  for (const other of others) await compare(deps, throttling, other, eventId);
}

async function compare(deps: CorrelateDeps, { tenantId, provider, at }: Throttling, other: TenantId, eventId: string): Promise<void> {
  const period = { from: at - spanMs - quietMs, to: at + spanMs };
  const [own, theirs] = await Promise.all([deps.throttlings.of(tenantId, provider, period), deps.throttlings.of(other, provider, period)]);
  const suspicion = await withoutCrowds(deps, own, theirs);
  if (suspicion === undefined) return;
  const pair: Pair = tenantId < other ? [tenantId, other] : [other, tenantId];
  const day = new Date(at).toISOString().slice(0, 10);
  if (!(await deps.tellings.take(pair, provider, day, eventId))) return;
  // Only people who run Cordon see a log; no tenant hears of another.
  deps.log.warn('two tenants seem to share a rate limit', {
    provider,
    tenantIds: pair.join(' '),
    credentialIds: pair.map((one) => credentialsOf(one === tenantId ? own : theirs).join(',')).join(' '),
    ...{ together: suspicion.together, ofOne: suspicion.ofFirst, ofOther: suspicion.ofSecond, chance: suspicion.chance },
  });
  for (const concerned of pair) {
    await deps.announcer.announce('IsolationViolationDetected', {
      version: 1,
      tenantId: concerned,
      event: { id: eventId, detailType },
      reason: {
        code: 'SHARED_RATE_LIMIT',
        message: `The tenant was throttled by ${provider} ${suspicion.together} times within an hour at the same moment as another one: its account there may be shared.`,
      },
      left: [],
    });
  }
  await deps.tellings.told(pair, provider, day);
}

/** What is suspicious is looked at once more without the moments at which the provider throttled everybody. */
async function withoutCrowds(
  { throttlings }: CorrelateDeps,
  own: readonly Throttling[],
  theirs: readonly Throttling[],
): Promise<Suspicion | undefined> {
  const suspicion = sharedLimit(timesOf(own), timesOf(theirs));
  if (suspicion === undefined) return undefined;
  const crowded: number[] = [];
  for (const moment of suspicion.moments) {
    const there = own.find(({ at }) => at === moment);
    if (there !== undefined && (await othersAt(throttlings, there)).length + 1 > crowd) crowded.push(moment);
  }
  return crowded.length === 0 ? suspicion : sharedLimit(timesOf(own), timesOf(theirs), crowded);
}

async function othersAt(throttlings: Throttlings, { tenantId, provider, at }: Throttling): Promise<readonly TenantId[]> {
  const all = await throttlings.ofAll(provider, { from: at - togetherMs, to: at + togetherMs });
  return [...new Set(all.map((one) => one.tenantId))].filter((one) => one !== tenantId);
}

function credentialsOf(throttlings: readonly Throttling[]): readonly CredentialId[] {
  return [...new Set(throttlings.map(({ credentialId }) => credentialId))];
}

function timesOf(throttlings: readonly Throttling[]): readonly number[] {
  return throttlings.map(({ at }) => at);
}
