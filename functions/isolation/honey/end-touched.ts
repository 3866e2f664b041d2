import type { AccessChange, RevocationRequested } from '../../revocation/events.ts';
import type { Announcer } from '../../shared/announcer.ts';
import type { commonFailures } from '../../shared/failure-event.ts';
import type { PublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { looksLikeDecoy } from './decoy-shape.ts';
import { decoysOf } from './decoys.ts';
import type { LikelyDecoyNamed } from './events.ts';
import type { HoneyKey } from './honey-key.ts';

/** What a touch brings about. */
export interface TouchWishes {
  readonly RevocationRequested: RevocationRequested;
  readonly AccessSuspended: AccessChange;
}

export interface EndTouchedDeps {
  readonly announcer: Announcer<typeof commonFailures>;
  readonly publish: PublishAsPlatform<TouchWishes>;
  readonly honeyKey: HoneyKey;
}

const asked = { version: 1, requestedBy: 'detector:honey', reason: 'a decoy was named in a call' } as const;

/**
 * Where one of the names is a decoy of the very tenant that called, what called ends: its session if its token named one, else its agent, else its user is suspended until somebody has
 * looked. Then it is told. What is asked for twice changes nothing that is done.
 *
 * @param eventId of the event that said so
 * @throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED
 */
export async function endTouched(deps: EndTouchedDeps, named: LikelyDecoyNamed, eventId: string): Promise<void> {
  const { tenantId, names } = named;
  const likely = names.filter(looksLikeDecoy);
  if (likely.length === 0) return;
  const decoy = decoysOf(await deps.honeyKey(), tenantId).find(({ credentialId }) => likely.includes(credentialId));
  if (decoy === undefined) return;
  const ended = await end(deps.publish, named);
  await deps.announcer.announce('IsolationViolationDetected', {
    version: 1,
    tenantId,
    event: { id: eventId, detailType: 'LikelyDecoyNamed' },
    reason: { code: 'HONEY_TOUCHED', message: `a call named the decoy ${decoy.credentialId}; ${ended}` },
    left: ['whoever could read the place where the decoy was planted has to be found'],
  });
}

/** The least that ends what the token can do. Answers what that is. */
async function end(publish: EndTouchedDeps['publish'], { tenantId, userId, agentId, sessionId }: LikelyDecoyNamed): Promise<string> {
  if (sessionId !== undefined) {
    await publish('RevocationRequested', { ...asked, tenantId, scope: 'session', sessionId });
    return `its session ${sessionId} is revoked`;
  }
  if (agentId !== undefined) {
    await publish('RevocationRequested', { ...asked, tenantId, scope: 'agent', agentId });
    return `its agent ${agentId} is revoked`;
  }
  await publish('AccessSuspended', { ...asked, tenantId, scope: 'user', userId });
  return `its user ${userId} is suspended`;
}
