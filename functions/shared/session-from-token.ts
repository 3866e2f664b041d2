import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { aws } from './aws-errors.ts';
import type { ClientCredentials } from './client-session.ts';
import { CordonError } from './errors.ts';
import { tenantId, userId } from './identifier-fields.ts';

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

/** A reader session of the token's tenant. */
export interface MintedSession {
  readonly tenantId: z.infer<typeof tenantId>;
  readonly userId: z.infer<typeof userId>;
  readonly credentials: ClientCredentials;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Has `sessions` verify a token and mint the session of whoever it names, if nobody it names was revoked; with `fresh`, none that was minted a while ago.
 *
 * @throws CordonError TOKEN_REFUSED, SESSION_UNAVAILABLE (retryable) and what AWS's refusals are turned into
 */
export async function sessionFromToken(
  lambda: LambdaClient,
  sessionsFunctionName: string,
  token: string,
  { fresh }: { readonly fresh: boolean } = { fresh: false },
): Promise<MintedSession> {
  const answer = await aws('asking for a session', () =>
    lambda.send(
      new InvokeCommand({
        FunctionName: sessionsFunctionName,
        Payload: JSON.stringify({ token, unrevoked: true, ...(fresh && { fresh }) }),
      }),
    ),
  );
  if (answer.FunctionError !== undefined || answer.Payload === undefined)
    throw new CordonError('SESSION_UNAVAILABLE', 'the sessions function failed', { retryable: true });
  const payload: unknown = JSON.parse(answer.Payload.transformToString());
  const session = minted.safeParse(payload);
  if (!session.success) {
    throw refused.safeParse(payload).success
      ? new CordonError('TOKEN_REFUSED', 'sessions refused the token')
      : new CordonError('SESSION_UNAVAILABLE', 'the session could not be minted now', { retryable: true });
  }
  const { expiresAt, ...credentials } = session.data.credentials;
  return { tenantId: session.data.tenantId, userId: session.data.userId, credentials, expiresAt };
}
