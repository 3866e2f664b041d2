import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { QueueHandler } from '../../shared/queue-consumer.handler.ts';

/** What the schedule sends says nothing; a batch of messages has records. */
type Invoked = SQSEvent | { readonly Records?: undefined };

/** One function for the daily run and for those that somebody asks for. */
export function createAuditHandler(
  daily: () => Promise<void>,
  asked: QueueHandler,
): (event: Invoked, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<SQSBatchResponse | undefined> {
  return async (event, context) => {
    if (event.Records !== undefined) return asked(event, context);
    await daily();
    return undefined;
  };
}
