import type { z } from 'zod';
import { type observedEvents, providerThrottled } from '../isolation/limits/events.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { VerifiedToken, VerifyToken } from './token-verifier.ts';

/** Which credential a provider has throttled, and when. Whose it is stands in the token. */
export const throttled = providerThrottled.omit({ version: true, tenantId: true });
export type Throttled = z.infer<typeof throttled>;

export interface ThrottledDeps {
  readonly verify: VerifyToken;
  readonly announcer: Announcer<typeof observedEvents>;
}

/**
 * Publishes `ProviderThrottled` for the tenant that the token names: whoever reports can say nothing of another one.
 *
 * @throws CordonError TOKEN_REFUSED; PROVIDER_UNAVAILABLE | AWS_UNAVAILABLE | ACCESS_REFUSED
 */
export async function reportThrottled({ verify, announcer }: ThrottledDeps, token: string, report: Throttled): Promise<VerifiedToken> {
  const claims = await verify(token);
  await announcer.announce('ProviderThrottled', { version: 1, tenantId: claims.tenantId, ...report });
  return claims;
}
