import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { aws } from '../shared/aws-errors.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import { tenantId, userId } from '../shared/identifier-fields.ts';
import type { ConnectionsEnv } from './env.ts';
import { createTenantView } from './tenant-view.dynamodb.ts';
import type { OpenTenant, TenantView } from './tenant-view.ts';

/** What `sessions` answers, as far as it counts here. */
const minted = z.object({
  tenantId,
  userId,
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiresAt: z.iso.datetime().transform((text) => Date.parse(text)),
  }),
});
const refused = z.object({ error: z.object({ code: z.literal('TOKEN_REFUSED') }) });

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens a tenant's data in a session that `sessions` mints for the caller's token: this function has no way of its own to any tenant's. */
export function createOpenTenant(deps: { lambda: LambdaClient; clock: Clock; nextId: NextId; env: ConnectionsEnv }): OpenTenant {
  const { lambda, clock, nextId, env } = deps;
  // By access key, which belongs to exactly one session; the token is shown to `sessions` each time.
  const kept = createExpiringCache<TenantView>({ clock, capacity, marginMs: 0 });
  return async (token) => {
    const payload = await mint(lambda, env.SESSIONS_FUNCTION_NAME, token);
    const session = minted.safeParse(payload);
    if (!session.success) throw refusalOf(payload);
    const { tenantId, userId, credentials } = session.data;
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials;
    const view = await kept.get(accessKeyId, async () => {
      const client = new DynamoDBClient({ credentials: { accessKeyId, secretAccessKey, sessionToken } });
      const tables = { registryTable: env.REGISTRY_TABLE, attributionTable: env.ATTRIBUTION_TABLE };
      return { value: createTenantView({ client, ...tables, clock, nextId }, tenantId), expiresAt };
    });
    return { tenantId, userId, view };
  };
}

async function mint(lambda: LambdaClient, functionName: string, token: string): Promise<unknown> {
  const answer = await aws('asking for a session', () =>
    lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ token }) })),
  );
  if (answer.FunctionError !== undefined || answer.Payload === undefined)
    throw new CordonError('SESSION_UNAVAILABLE', 'the sessions function failed', { retryable: true });
  const payload: unknown = JSON.parse(answer.Payload.transformToString());
  return payload;
}

function refusalOf(payload: unknown): CordonError {
  return refused.safeParse(payload).success
    ? new CordonError('TOKEN_REFUSED', 'sessions refused the token')
    : new CordonError('SESSION_UNAVAILABLE', 'the session could not be minted now', { retryable: true });
}
