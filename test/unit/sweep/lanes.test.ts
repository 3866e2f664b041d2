import { describe, expect, it } from 'vitest';
import { providerName } from '../../../functions/providers/provider-name.ts';
import { credentialDueShard, dueShardOf, dueShards, revocationDueShard, underWayDueShard } from '../../../functions/sweep/due-shard.ts';
import { sweepEnv } from '../../../functions/sweep/env.ts';
import { allLanes } from '../../../functions/sweep/lanes.ts';

const tenants = Array.from({ length: 1600 }, (_, n) => `tenant-${n}`);
const countsOf = (shards: readonly string[]) => {
  const counts = new Map<string, number>();
  for (const shard of shards) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  return counts;
};

describe('the shard of a tenant', () => {
  it('is one of sixteen for its connections, always the same, and no shard is empty or crowded', () => {
    const counts = countsOf(tenants.map(dueShardOf));
    expect([...counts.keys()].sort()).toEqual(Array.from({ length: dueShards }, (_, n) => String(n)).sort());
    expect(Math.max(...counts.values())).toBeLessThan(160);
    // What is scheduled lies where this says: another answer would lose it.
    expect(['acme', 'initech'].map(dueShardOf)).toEqual(['13', '2']);
  });

  it('is one of four of the provider for its credentials, always the same, and no shard is empty or crowded', () => {
    const counts = countsOf(tenants.map((tenant) => credentialDueShard('openai', tenant)));
    expect([...counts.keys()].sort()).toEqual(['openai#0', 'openai#1', 'openai#2', 'openai#3']);
    expect(Math.max(...counts.values())).toBeLessThan(500);
    expect(['acme', 'initech'].map((tenant) => credentialDueShard('azure-openai', tenant))).toEqual(['azure-openai#1', 'azure-openai#2']);
  });
});

describe('the lanes of the sweep', () => {
  const lanes = allLanes({ openai: 7 });

  it('are one of connections, one of what is under way, and one of credentials per provider', () => {
    expect(lanes.map((lane) => lane.name)).toEqual([
      'revocations',
      'connections',
      'credentials under way',
      ...providerName.options.map((provider) => `credentials ${provider}`),
    ]);
  });

  it('look wherever something can be scheduled, each shard once: four for revocations, sixteen, four for what is under way, and four for each provider', () => {
    const shards = lanes.flatMap((lane) => lane.shards);
    expect(new Set(shards).size).toBe(shards.length);
    expect(shards).toHaveLength(4 + 16 + 4 + 4 * providerName.options.length);
    const scheduled = tenants.flatMap((tenant) => [
      revocationDueShard(tenant),
      dueShardOf(tenant),
      underWayDueShard(tenant),
      ...providerName.options.map((provider) => credentialDueShard(provider, tenant)),
    ]);
    expect(new Set(scheduled)).toEqual(new Set(shards));
  });

  it('are bounded per run as configured, or as fits the provider; that of connections is not', () => {
    const bounds = Object.fromEntries(lanes.map((lane) => [lane.name, lane.maxPerRun]));
    expect(bounds).toMatchObject({ 'credentials openai': 7, 'credentials azure-openai': 30, 'credentials mistral': 60 });
    expect(bounds['connections']).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the configuration of the sweep', () => {
  const least = { REGISTRY_TABLE: 't', DUE_QUEUES: '{"CONNECTION":"https://sqs.us-east-1.amazonaws.com/1/byoc"}' };

  it('has bounds of its own', () => {
    expect(sweepEnv.parse(least)).toMatchObject({ MAX_IN_FLIGHT: 200, MAX_PER_TENANT: 10, PROVIDER_PER_MINUTE: {} });
  });

  it('takes a bound per provider, and none for what is no provider or would stop one for good', () => {
    expect(sweepEnv.parse({ ...least, PROVIDER_PER_MINUTE: '{"mistral":5}' }).PROVIDER_PER_MINUTE).toEqual({ mistral: 5 });
    for (const text of ['{"mistrall":5}', '{"mistral":0}', '{"mistral":1.5}', 'mistral'])
      expect(sweepEnv.safeParse({ ...least, PROVIDER_PER_MINUTE: text }).success).toBe(false);
  });
});
