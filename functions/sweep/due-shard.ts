import { createHash } from 'node:crypto';
import type { ProviderName } from '../providers/provider-name.ts';

/** Partitions of the index `due`. Changing it would leave what is scheduled behind: nobody would look where it lies. */
export const dueShards = 16;

/** Which partition a tenant's due connections are in, `0` … `15`: always the same, and tenants are spread evenly. */
export function dueShardOf(tenantId: string): string {
  return String(hashOf(tenantId) % dueShards);
}

/** Partitions of each provider's credentials. As above: changing it would leave what is scheduled behind. */
const credentialShards = 4;

/** Which partition a credential's due item is in, e.g. `openai#2`: each provider has its own, so that what piles up behind one is not in the way of another. */
export function credentialDueShard(provider: ProviderName, tenantId: string): string {
  return `${provider}#${hashOf(tenantId) % credentialShards}`;
}

/** All partitions that credentials of a provider can be in. */
export function credentialDueShards(provider: ProviderName): readonly string[] {
  return Array.from({ length: credentialShards }, (_, shard) => `${provider}#${shard}`);
}

/** Where a credential is due that is being replaced: what has begun is not to wait behind what has not. */
export function underWayDueShard(tenantId: string): string {
  return `under-way#${hashOf(tenantId) % credentialShards}`;
}

/** All partitions of what is under way. */
export const underWayDueShards: readonly string[] = Array.from({ length: credentialShards }, (_, shard) => `under-way#${shard}`);

const revocationShards = 4;

/** Where a revocation is due: nothing that is late elsewhere holds it up. */
export function revocationDueShard(tenantId: string): string {
  return `revocation#${hashOf(tenantId) % revocationShards}`;
}

/** All partitions of revocations. */
export const revocationDueShards: readonly string[] = Array.from({ length: revocationShards }, (_, shard) => `revocation#${shard}`);

function hashOf(tenantId: string): number {
  return createHash('sha256').update(tenantId).digest().readUInt32BE(0);
}
