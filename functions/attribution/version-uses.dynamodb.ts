import { type AttributeValue, type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { decodeTime, encodeTime } from 'ulid';
import { z } from 'zod';
import { fromItem } from '../shared/attribute-values.ts';
import { aws } from '../shared/aws-errors.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { partitionOf } from './attribution-item.ts';
import { drainMs, type VersionUse, type VersionUses } from './version-uses.ts';

/** The operation under which the broker records that a credential was used. */
const useOperation = 'provider.call';
/** How the broker closes an intent of a version that was not used after all: nothing left with it. */
const notUsed: ReadonlySet<string | undefined> = new Set(['CREDENTIAL_CHANGED', 'CREDENTIAL_DIVERTED', 'CREDENTIAL_REVOKED']);
const dayMs = 86_400_000;
/** Broker and reader need not agree on the time to the second: a use may be of tomorrow already. Milliseconds. */
const skewMs = 60_000;

const entry = z.object({
  id: z.ulid(),
  kind: z.enum(['INTENT', 'OUTCOME']),
  outcome: z.object({ result: z.string().optional(), code: z.string().optional() }).optional(),
});
type Entry = z.infer<typeof entry>;

export interface VersionUsesDeps {
  /** A client with the credentials of a session of the tenant whose entries these are. */
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** Pages of one look at most, a megabyte of entries each. */
  readonly maxPages?: number;
}

/**
 * Reads the newest entries of the credential first, and no further than the answer needs. Entries of other versions and operations are passed over in the table,
 * and still take their share of a page.
 */
export function createVersionUses({ client, table, clock, maxPages = 50 }: VersionUsesDeps): VersionUses {
  return {
    async usesOf(tenantId, credentialId, versionId, since) {
      const now = clock();
      const from = Math.max(since, (Math.floor(now / dayMs) - 1) * dayMs);
      const uses = new Map<string, readonly Entry[]>();
      let pages = 0;
      for (const day of daysBack(now + skewMs, from)) {
        let next: Record<string, AttributeValue> | undefined;
        do {
          if (pages === maxPages) return { ...whatIsKnown(uses, now), complete: false };
          pages += 1;
          const page: QueryCommandOutput = await aws('reading attribution', () =>
            client.send(
              new QueryCommand({
                TableName: table,
                IndexName: 'byCredential',
                KeyConditionExpression: 'pk = :pk AND credentialKey BETWEEN :low AND :high',
                FilterExpression: 'operation = :use AND (credentialVersion = :version OR attribute_not_exists(credentialVersion))',
                ProjectionExpression: 'id, kind, outcome',
                ExpressionAttributeValues: {
                  ':pk': { S: partitionOf(tenantId, day) },
                  ':low': { S: `${credentialId}#${encodeTime(from, 10)}` },
                  ':high': { S: `${credentialId}#~` },
                  ':use': { S: useOperation },
                  ':version': { S: versionId },
                },
                // What has just been begun has to be seen.
                ConsistentRead: true,
                ScanIndexForward: false,
                ExclusiveStartKey: next,
              }),
            ),
          );
          for (const one of (page.Items ?? []).map(understood)) uses.set(one.id, [...(uses.get(one.id) ?? []), one]);
          next = page.LastEvaluatedKey;
          // Entries of one ID share an index value, so that the last one's outcome may be on the next page.
          const last = next?.['credentialKey']?.S?.slice(credentialId.length + 1);
          const known = whatIsKnown(uses, now, last);
          const isPastDrain = last !== undefined && isOver(decodeTime(last), now);
          if (known.open || (known.lastAt !== undefined && isPastDrain)) return { ...known, complete: true };
        } while (next !== undefined);
      }
      return { ...whatIsKnown(uses, now), complete: true };
    },
  };
}

/** @param unsettled the ID of which there may be more to read */
function whatIsKnown(uses: ReadonlyMap<string, readonly Entry[]>, now: number, unsettled?: string): Omit<VersionUse, 'complete'> {
  let lastAt: number | undefined;
  let open = false;
  for (const [id, entries] of uses) {
    if (id === unsettled || entries.some(({ outcome }) => outcome?.result === 'refused' && notUsed.has(outcome.code))) continue;
    const at = decodeTime(id);
    lastAt = Math.max(lastAt ?? at, at);
    open ||= !isOver(at, now) && !entries.some(({ kind }) => kind === 'OUTCOME');
  }
  return { ...(lastAt !== undefined && { lastAt }), open };
}

function isOver(begunAt: number, now: number): boolean {
  return now - begunAt >= drainMs;
}

/** UTC days, `yyyy-mm-dd`, the latest first. Times in milliseconds since the epoch. */
function daysBack(latest: number, earliest: number): string[] {
  const [last, first] = [Math.floor(latest / dayMs), Math.floor(earliest / dayMs)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, back) => new Date((last - back) * dayMs).toISOString().slice(0, 10));
}

/** An entry that cannot be read is not left out: a use that is not seen would end in a key that dies under it. */
function understood(item: Record<string, AttributeValue>): Entry {
  const parsed = entry.safeParse(fromItem(item));
  if (parsed.success) return parsed.data;
  throw new CordonError('ITEM_NOT_UNDERSTOOD', 'an attribution entry is not understood', { retryable: true });
}
