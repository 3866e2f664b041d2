import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { createAttributionPages } from '../../functions/attribution/attribution-pages.dynamodb.ts';
import type { AttributionPages } from '../../functions/attribution/attribution-pages.ts';
import { boundAt, type ListedPage, listEntries } from '../../functions/attribution/list-entries.ts';
import type { ListedEntry } from '../../functions/attribution/listed-entry.ts';
import { aws } from '../../functions/shared/aws-errors.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import type { Cloud } from '../cloud/cloud.ts';

const sessionSeconds = 900;
const pageSize = 1000;

/** One tenant's evidence, opened in a session of `TenantAuditor`, which IAM holds to that tenant. */
export interface Audit {
  readonly pages: AttributionPages;
  /** What time it is by AWS's clock, to the second. */
  readonly now: number;
  close(): void;
}

/** @throws CordonError as `aws` */
export async function openAudit(cloud: Cloud, tenantId: TenantId): Promise<Audit> {
  const { Credentials } = await aws(`becoming the auditor of ${tenantId}`, () =>
    cloud.sts.send(
      new AssumeRoleCommand({
        RoleArn: cloud.auditorRoleArn,
        RoleSessionName: tenantId,
        DurationSeconds: sessionSeconds,
        Tags: [{ Key: 'TenantId', Value: tenantId }],
      }),
    ),
  );
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration } = Credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined || Expiration === undefined)
    throw new CordonError('AWS_UNAVAILABLE', 'STS answered without credentials', { retryable: true });
  const client = new DynamoDBClient({ ...cloud.config, credentials: { accessKeyId, secretAccessKey, sessionToken } });
  return {
    pages: createAttributionPages(client, cloud.attributionTable),
    now: Expiration.getTime() - sessionSeconds * 1000,
    close: () => client.destroy(),
  };
}

const dayMs = 86_400_000;
/** A session of the auditor lasts a quarter of an hour: so many days are read in one. */
const daysAtOnce = 7;
/** What is being done at this moment is in it, whoever's clock is a little ahead. */
const aheadMs = 60_000;

/**
 * A tenant's entries since, oldest first, whatever their number.
 *
 * @param since milliseconds since the epoch
 * @throws CordonError as `aws`
 */
export async function* attributedSince(cloud: Cloud, tenantId: TenantId, since: number): AsyncIterable<ListedEntry> {
  let from = since - aheadMs;
  for (let end = Number.POSITIVE_INFINITY; from < end; from += daysAtOnce * dayMs) {
    const audit = await openAudit(cloud, tenantId);
    try {
      end = audit.now + aheadMs;
      const before = boundAt(Math.min(from + daysAtOnce * dayMs, end));
      let after: string | undefined = boundAt(from);
      while (after !== undefined) {
        const page: ListedPage = await listEntries(
          { pages: audit.pages, clock: () => audit.now },
          { tenantId, after, before, filters: {}, limit: pageSize },
        );
        yield* page.entries;
        after = page.next;
      }
    } finally {
      audit.close();
    }
  }
}
