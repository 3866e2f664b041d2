import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { aws } from '../shared/aws-errors.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import { tenantId } from '../shared/identifier-fields.ts';
import { createAttributionPages } from './attribution-pages.dynamodb.ts';
import type { AttributionPages, OpenPages } from './attribution-pages.ts';
import type { EvidenceEnv } from './env.ts';

/** What `sessions` answers, as far as it counts here. */
const minted = z.object({
  tenantId,
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiresAt: z.iso.datetime().transform((text) => Date.parse(text)),
  }),
});
const refused = z.object({ error: z.object({ code: z.string() }) });

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens the log in a session that `sessions` mints for the caller's token: this function has no way to any tenant's entries of its own. */
export function createOpenPages(deps: { lambda: LambdaClient; clock: Clock; env: EvidenceEnv }): OpenPages {
  const { lambda, clock, env } = deps;
  // By access key, which belongs to exactly one session; the token is shown to `sessions` each time.
  const kept = createExpiringCache<AttributionPages>({ clock, capacity, marginMs: 0 });
  return async (token) => {
    const payload = await mint(lambda, env.SESSIONS_FUNCTION_NAME, token);
    const session = minted.safeParse(payload);
    if (!session.success) throw refusalOf(payload);
    const { credentials } = session.data;
    const pages = await kept.get(credentials.accessKeyId, async () => ({
      value: createAttributionPages(new DynamoDBClient({ credentials: plain(credentials) }), env.ATTRIBUTION_TABLE),
      expiresAt: credentials.expiresAt,
    }));
    return { tenantId: session.data.tenantId, pages };
  };
}

function plain({ accessKeyId, secretAccessKey, sessionToken }: z.infer<typeof minted>['credentials']) {
  return { accessKeyId, secretAccessKey, sessionToken };
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
  const parsed = refused.safeParse(payload);
  return parsed.success && parsed.data.error.code === 'TOKEN_REFUSED'
    ? new CordonError('TOKEN_REFUSED', 'sessions refused the token')
    : new CordonError('SESSION_UNAVAILABLE', 'the session could not be minted now', { retryable: true });
}
