import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { jsonIn } from '../shared/json-in.ts';

/** Where a list goes on and where it ends. */
export interface Position {
  readonly after: string;
  readonly before: string;
}

const cursorText = z.tuple([z.literal(1), z.ulid(), z.ulid(), z.string().length(22)]);

/**
 * A cursor carries the position and a mark of the tenant and the query it came from. It is no permit: the partition that is read is always made of the verified
 * tenant, so a forged cursor moves its forger about in its own list. The mark makes a cursor that was mixed up fail instead of answering something else.
 */
export function cursorOf(position: Position, tenantId: TenantId, query: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify([1, position.after, position.before, markOf(tenantId, query)])).toString('base64url');
}

/**
 * @param query the parameters as they were sent, without `cursor` and `limit`
 * @throws CordonError CALL_INVALID
 */
export function positionOf(cursor: string, tenantId: TenantId, query: Readonly<Record<string, string>>): Position {
  const parsed = cursorText.safeParse(jsonIn(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success || parsed.data[3] !== markOf(tenantId, query)) {
    throw new CordonError(
      'CALL_INVALID',
      'cursor is of another query: repeat the parameters of the request that it came from, or begin anew without it',
    );
  }
  const [, after, before] = parsed.data;
  return { after, before };
}

function markOf(tenantId: TenantId, query: Readonly<Record<string, string>>): string {
  const members = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([tenantId, members]))
    .digest('base64url')
    .slice(0, 22);
}
