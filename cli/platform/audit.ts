import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { createAttributionPages } from '../../functions/attribution/attribution-pages.dynamodb.ts';
import type { AttributionPages } from '../../functions/attribution/attribution-pages.ts';
import { aws } from '../../functions/shared/aws-errors.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import type { Cloud } from '../cloud/cloud.ts';

const sessionSeconds = 900;

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
