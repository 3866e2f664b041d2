import type { Announcer } from '../../shared/announcer.ts';
import type { TenantId, UserId } from '../../shared/identifiers.ts';
import type { observedEvents } from './events.ts';

/** Whom a verified token names. */
export interface NamedBy {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly agentId?: string | undefined;
  readonly sessionId?: string | undefined;
}

/** Publishes `LikelyDecoyNamed`. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED. */
export function announceNamed(announcer: Announcer<typeof observedEvents>, by: NamedBy, names: readonly string[]): Promise<void> {
  const { tenantId, userId, agentId, sessionId } = by;
  return announcer.announce('LikelyDecoyNamed', {
    version: 1,
    ...{ tenantId, userId },
    ...(agentId !== undefined && { agentId }),
    ...(sessionId !== undefined && { sessionId }),
    names: [...names],
  });
}
