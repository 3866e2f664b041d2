/** The sums of `docs/scale.md`. Pure. */
import { assumed, ours, type Profile, prices, quotas } from './scale-assumptions.ts';
import type { Measured } from './scale-measured.ts';

type Calls = Readonly<Record<string, number>>;

/** Write units of one use: each of its two entries, and once more for each index. */
export function writeUnitsPerUse({ bytes }: Measured): number {
  return 2 * Math.ceil(bytes.useEntries / 2 / 1024) * (1 + ours.attributionIndexes);
}

/** Bytes that one use leaves behind, indexes included. */
export function bytesPerUse({ bytes }: Measured): number {
  return bytes.useEntries * (1 + ours.attributionIndexes);
}

/** Uses a second of a tenant in its busiest minute. */
export function peakRate({ usesPerDay }: Profile): number {
  return (usesPerDay * assumed.peak) / (assumed.workingHours * 3600);
}

/** Environments that a tenant has then: the chance that one is warm, or as many as its uses overlap. */
export function environmentsAtPeak(profile: Profile): number {
  const rate = peakRate(profile);
  return Math.max(1 - Math.exp(-rate * assumed.warmSeconds), rate * assumed.secondsPerUse);
}

export interface Limit {
  readonly what: string;
  /** Tenants that it allows a cell. */
  readonly tenants: number;
  readonly adjustable: boolean;
}

/** How many pool tenants of a kind each quota allows, the smallest first. */
export function limitsOf(profile: Profile, concurrency: number, measured: Measured): readonly Limit[] {
  const rate = peakRate(profile);
  const environments = environmentsAtPeak(profile);
  const { rotation } = measured.calls;
  const writes = countOf(rotation, ['secretsmanager PutSecretValue', 'secretsmanager UpdateSecretVersionStage']);
  const rotationsPerSecond = profile.credentials / (ours.rotationDays * 86_400);
  const limits: readonly [what: string, tenants: number, adjustable: boolean][] = [
    ['secrets', quotas.secrets.value / profile.credentials, false],
    ['environments of tenants', (quotas.environmentsPerThousand.value * concurrency) / 1000 / environments, true],
    ['runs at a time', concurrency / (rate * assumed.secondsPerUse), true],
    ['sessions (STS)', (ours.stsForCalls * ours.sessionSeconds) / environments, false],
    ['reads of secrets', (quotas.secretReads.value * ours.sessionSeconds) / environments, false],
    ['writes of secrets by rotation', quotas.secretWrites.value / (rotationsPerSecond * writes), false],
    ['write units of attribution', quotas.tableUnits.value / (rate * writeUnitsPerUse(measured)), true],
    ['read units of the registry', quotas.tableUnits.value / (rate * ours.gateItems), true],
    ['requests to the API', quotas.apiRequests.value / rate, true],
  ];
  return limits
    .map(([what, tenants, adjustable]) => ({ what, tenants: Math.floor(tenants), adjustable }))
    .sort((a, b) => a.tenants - b.tenants);
}

/** Tenants with roles and a key of their own. */
export function dedicatedTenants(roles: number): number {
  return Math.min(quotas.keys.value, Math.floor((roles - ours.otherRoles) / ours.rolesPerDedicatedTenant));
}

/** What a single tenant may do, whatever the cell is like. */
export function ceilings(measured: Measured): {
  readonly usesPerSecond: number;
  readonly gatesPerSecond: number;
  readonly usesPerDay: number;
} {
  return {
    usesPerSecond: Math.floor(quotas.partitionWrites.value / writeUnitsPerUse(measured)),
    gatesPerSecond: Math.floor(quotas.partitionReads.value / ours.gateItems),
    usesPerDay: Math.floor(quotas.collectionBytes.value / bytesPerUse(measured)),
  };
}

const million = 1e6;

/** Dollars for a million uses, by what they are for. */
export function usesCost(measured: Measured): Readonly<Record<string, number>> {
  const { authorizerShare } = assumed;
  const storedGb = (million * bytesPerUse(measured)) / 1e9;
  return {
    'API Gateway': million * prices.apiRequest.value,
    'Lambda, while the provider answers': million * assumed.secondsPerUse * ours.brokerGb * prices.lambdaGbSecond.value,
    'Lambda, runs and authorizer':
      million * (1 + authorizerShare) * prices.lambdaRequest.value +
      million * authorizerShare * assumed.authorizerSeconds * assumed.authorizerGb * prices.lambdaGbSecond.value,
    'DynamoDB, gate': million * ours.gateItems * prices.readUnit.value,
    'DynamoDB, intent and outcome': million * writeUnitsPerUse(measured) * prices.writeUnit.value,
    'DynamoDB, kept a year': storedGb * prices.storedGbMonth.value * assumed.monthsKept,
    'logs and traces': ((million * assumed.logBytesPerUse) / 1e9) * prices.logGb.value + million * assumed.tracedShare * prices.trace.value,
  };
}

/** Dollars a month for one tenant of a kind. */
export function tenantCost(profile: Profile, measured: Measured): Readonly<Record<string, number>> {
  const perUse = sumOf(usesCost(measured)) / million;
  const rotations = (profile.credentials * assumed.daysPerMonth) / ours.rotationDays;
  const environments = Math.min(assumed.environmentsPerDay, profile.usesPerDay) * assumed.daysPerMonth;
  return {
    secrets: profile.credentials * prices.secretMonth.value,
    rotation: rotations * callsCost(measured.calls.rotation),
    'new environments': environments * (ours.brokerGb * prices.environment.value + callsCost(measured.calls.firstUse)),
    uses: profile.usesPerDay * assumed.daysPerMonth * perUse,
  };
}

/** Dollars a month for a cell without a tenant. */
export function cellCost({ idleMinute }: Measured): Readonly<Record<string, number>> {
  const minutes = assumed.daysPerMonth * 1440;
  return {
    'alarms, metrics, dashboard':
      ours.alarmedMetrics * prices.alarmedMetric.value + ours.countedMetrics * prices.customMetric.value + prices.dashboard.value,
    'keys and administrators’ secrets': ours.keys * prices.keyMonth.value + ours.adminSecrets * prices.secretMonth.value,
    // Nearly all of them are queries that find nothing; two runs a minute, of a second each.
    'sweep and cut-off, nothing due':
      minutes * (idleMinute * prices.readUnit.value + 2 * (prices.lambdaRequest.value + 0.5 * prices.lambdaGbSecond.value)),
  };
}

export const sumOf = (costs: Readonly<Record<string, number>>): number => Object.values(costs).reduce((sum, cost) => sum + cost, 0);

/** Dollars for these calls; those whose price is not known here cost nothing at AWS either (STS, the administrations of providers) or are Lambda’s own. */
export function callsCost(calls: Calls): number {
  const each: Readonly<Record<string, number>> = {
    dynamodb: 2 * prices.writeUnit.value,
    secretsmanager: prices.secretCall.value,
    kms: prices.kmsCall.value,
    events: prices.event.value,
    lambda: prices.lambdaRequest.value,
    sts: 0,
  };
  return Object.entries(calls).reduce((sum, [name, count]) => sum + count * priceOf(each, name), 0);
}

function priceOf(each: Readonly<Record<string, number>>, name: string): number {
  const price = each[name.split(' ')[0] ?? ''];
  if (price === undefined) throw new Error(`no price is known for ${name}`);
  return price;
}

export function countOf(calls: Calls, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (calls[name] ?? 0), 0);
}
