/** Access tokens for administrations that take no fixed key. Held in memory until shortly before they end. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { createExpiringCache } from '../../shared/expiring-cache.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { createProviderHttp, parseAnswer } from '../provider-http.ts';

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** A call made with a token of this age at most reaches the provider in time. */
const marginMs = 60_000;

/**
 * @param of the token endpoint, and the identity that asks there: another one, or a changed secret of the same, gets a token of its own
 * @param form the request for a token, made only when one is needed (RFC 6749, section 4; the answer is that of section 5.1)
 * @returns the token; rejects with CordonError as `parseAnswer` does
 */
export type AccessTokens = (of: { endpoint: string; identity: object }, form: () => Promise<URLSearchParams>) => Promise<SecretText>;

export function createAccessTokens(provider: string, deps: { clock: Clock; fetchUrl?: typeof fetch | undefined }): AccessTokens {
  const cache = createExpiringCache<SecretText>({ clock: deps.clock, capacity: 4, marginMs });
  return ({ endpoint, identity }, form) =>
    cache.get(
      createHash('sha256')
        .update(JSON.stringify([endpoint, identity]))
        .digest('hex'),
      async () => {
        const send = createProviderHttp(provider, endpoint, deps.fetchUrl);
        const answer = await send({ method: 'POST', path: '', headers: {}, body: await form() });
        const { access_token, expires_in } = parseAnswer(provider, 'obtaining an access token', tokenAnswer, answer);
        return { value: new SecretText(access_token), expiresAt: deps.clock() + expires_in * 1000 };
      },
    );
}
