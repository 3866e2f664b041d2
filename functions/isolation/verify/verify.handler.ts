import type { PublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { createQueueOrScheduleHandler, type QueueHandler, type QueueOrScheduleHandler } from '../../shared/queue-consumer.handler.ts';
import { canaryIds } from '../canaries.ts';
import type { IsolationVerificationRequested } from '../events.ts';

/** Consumes the queue; and once a day asks for a run as everybody else does, so that it waits its turn, is retried, and is given up in sight. */
export function createHandler(deps: {
  readonly consume: QueueHandler;
  readonly publish: PublishAsPlatform<{ IsolationVerificationRequested: IsolationVerificationRequested }>;
}): QueueOrScheduleHandler {
  return createQueueOrScheduleHandler(deps.consume, async () => {
    await deps.publish('IsolationVerificationRequested', { version: 1, tenantId: canaryIds.a, requestedBy: 'daily schedule' });
  });
}
