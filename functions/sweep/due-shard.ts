import { createHash } from 'node:crypto';

/** Partitions of the index `due`. Changing it would leave what is scheduled behind: nobody would look where it lies. */
export const dueShards = 16;

/** Which partition a tenant's due items are in, `0` … `15`: always the same, and tenants are spread evenly. */
export function dueShardOf(tenantId: string): string {
  return String(createHash('sha256').update(tenantId).digest().readUInt32BE(0) % dueShards);
}
