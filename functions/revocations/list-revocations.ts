import { z } from 'zod';
import { revocationRecordOf } from '../revocation/certificate/revocation-record.ts';
import { timeOf } from '../revocation/certificate/time-text.ts';
import type { Revocation } from '../revocation/revocation.ts';
import { CordonError } from '../shared/errors.ts';
import type { ListedRevocation, RevocationsAnswer } from './revocations-answer.ts';
import type { OpenedTenant } from './tenant-view.ts';

/** The parameters of the list. */
export const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(200))
    .default(50),
  cursor: z.string().max(256).optional(),
});
export const listRule = 'limit must be a whole number from 1 to 200, cursor the one of the page before, and there is no other parameter';

/** Where a page ended: time and ID of its last entry. */
const position = z.strictObject({ at: z.int().min(0), id: z.string().min(1).max(64) });
type Position = z.infer<typeof position>;

/**
 * What was revoked, the newest first.
 *
 * @throws CordonError CALL_INVALID, for the caller to read; and as the view
 */
export async function listRevocations(
  { tenantId, view }: OpenedTenant,
  { limit, cursor }: z.infer<typeof listQuery>,
): Promise<RevocationsAnswer> {
  const after = cursor === undefined ? undefined : positionIn(cursor);
  const all = [...(await view.revocations.revocations(tenantId))].sort((a, b) => newestFirst(positionOf(a), positionOf(b)));
  const rest = after === undefined ? all : all.filter((item) => newestFirst(after, positionOf(item)) < 0);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    tenantId,
    revocations: page.map(listedRevocation),
    cursor: last !== undefined && rest.length > page.length ? cursorOf(positionOf(last)) : undefined,
  };
}

export function listedRevocation(item: Revocation): ListedRevocation {
  const { kind: _, ...record } = revocationRecordOf(item);
  const { status, counts, doneAt, certificateId } = item;
  return { ...record, status, counts, certified: certificateId !== undefined, ...(doneAt !== undefined && { doneAt: timeOf(doneAt) }) };
}

function positionOf({ inForceAt, revocationId }: Revocation): Position {
  return { at: inForceAt, id: revocationId };
}

function newestFirst(a: Position, b: Position): number {
  return b.at - a.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function cursorOf(last: Position): string {
  return Buffer.from(JSON.stringify(last)).toString('base64url');
}

function positionIn(cursor: string): Position {
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (error) {
    throw new CordonError('CALL_INVALID', listRule, { cause: error });
  }
}
