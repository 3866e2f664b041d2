import { z } from 'zod';

/** What `sessions` answers when it opens a session, to the letter. */
export const sessionAnswer = z.strictObject({
  tenantId: z.string(),
  userId: z.string(),
  tier: z.enum(['pool', 'dedicated']),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  role: z.string().optional(),
  credentials: z.strictObject({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiresAt: z.iso.datetime(),
  }),
});

/** The one answer to whatever is refused: not a letter more or less, whatever the reason. */
export const refusal = { error: { code: 'TOKEN_REFUSED', message: 'The token was not accepted.' } };
/** The answer when it could not be found out. */
export const unavailable = { error: { code: 'UNAVAILABLE', message: 'The session could not be minted now.' } };
