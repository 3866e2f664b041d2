import { revocationDueShard } from '../sweep/due-shard.ts';
import type { Revocation } from './revocation.ts';

type Due = Pick<Revocation, 'dueShard' | 'dueAt'>;

/** Both keys of the index `due`, or neither: an item with one of them would be in no list and in no schedule. */
export function revocationDue({ tenantId }: Pick<Revocation, 'tenantId'>, at: number): Due {
  return { dueShard: revocationDueShard(tenantId), dueAt: at };
}

export const neverDue: Due = { dueShard: undefined, dueAt: undefined };
