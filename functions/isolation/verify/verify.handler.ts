import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { PublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import type { QueueHandler } from '../../shared/queue-consumer.handler.ts';
import { canaryIds } from '../canaries.ts';
import type { IsolationVerificationRequested } from '../events.ts';

/** What the schedule sends. */
export interface DailyRun {
  readonly run: 'daily';
}
export type VerifyHandler = (
  event: SQSEvent | DailyRun,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse | undefined>;

/** Consumes the queue; and once a day asks for a run as everybody else does, so that it waits its turn, is retried, and is given up in sight. */
export function createHandler(deps: {
  readonly consume: QueueHandler;
  readonly publish: PublishAsPlatform<{ IsolationVerificationRequested: IsolationVerificationRequested }>;
}): VerifyHandler {
  return async (event, context) => {
    if ('Records' in event) return deps.consume(event, context);
    await deps.publish('IsolationVerificationRequested', { version: 1, tenantId: canaryIds.a, requestedBy: 'daily schedule' });
    return undefined;
  };
}
