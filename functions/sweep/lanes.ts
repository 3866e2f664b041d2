import { type ProviderName, providerName } from '../providers/provider-name.ts';
import { credentialDueShards, dueShards, revocationDueShards, underWayDueShards } from './due-shard.ts';

/** Partitions of the index that are read together, and of which a run sends so many items at most: what piles up in one lane is in no other one's way. */
export interface Lane {
  /** For people, e.g. `credentials openai`. */
  readonly name: string;
  readonly shards: readonly string[];
  readonly maxPerRun: number;
}

/** Rotations that one run starts per provider unless told otherwise. Runs are a minute apart, and each rotation asks a provider's administration a handful of times. */
const defaultPerRun = 60;
/** Steps of rotations that have begun: most of them ask a provider nothing. */
const underWayPerRun = 200;
const perRun: Partial<Record<ProviderName, number>> = { 'azure-openai': 30 };

/**
 * All lanes there are: that of revocations, that of connections, and one of credentials for each provider. A run reads them all, whichever workers it knows, so that what nobody does is
 * found out.
 *
 * @param perMinute where a provider's bound differs from the default
 */
export function allLanes(perMinute: Readonly<Partial<Record<ProviderName, number>>>): readonly Lane[] {
  return [
    { name: 'revocations', shards: revocationDueShards, maxPerRun: Number.POSITIVE_INFINITY },
    { name: 'connections', shards: Array.from({ length: dueShards }, (_, shard) => String(shard)), maxPerRun: Number.POSITIVE_INFINITY },
    { name: 'credentials under way', shards: underWayDueShards, maxPerRun: underWayPerRun },
    ...providerName.options.map((provider) => ({
      name: `credentials ${provider}`,
      shards: credentialDueShards(provider),
      maxPerRun: perMinute[provider] ?? perRun[provider] ?? defaultPerRun,
    })),
  ];
}
