import { z } from 'zod';
import { announceNamed } from '../isolation/honey/announce-named.ts';
import { likelyDecoyNamed, type observedEvents } from '../isolation/honey/events.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { VerifiedToken, VerifyToken } from './token-verifier.ts';

/** Names that a call has asked by. Who called stands in the token. */
export const named = z.strictObject({ names: likelyDecoyNamed.shape.names });
export type Named = z.infer<typeof named>;

export interface NamedDeps {
  readonly verify: VerifyToken;
  readonly announcer: Announcer<typeof observedEvents>;
}

/**
 * Publishes `LikelyDecoyNamed` for whom the token names: whoever reports can say nothing of anybody else.
 *
 * @throws CordonError TOKEN_REFUSED; PROVIDER_UNAVAILABLE | AWS_UNAVAILABLE | ACCESS_REFUSED
 */
export async function reportNamed({ verify, announcer }: NamedDeps, token: string, { names }: Named): Promise<VerifiedToken> {
  const claims = await verify(token);
  await announceNamed(announcer, claims, names);
  return claims;
}
