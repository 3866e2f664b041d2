import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Clock } from './clock.ts';
import type { QueueMessage } from './consume-message.ts';

export type QueueHandler = (event: SQSEvent, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<SQSBatchResponse>;

/**
 * Handles each message of a batch on its own; those that are to come again are named in the answer (Lambda Developer Guide, "Reporting batch item failures").
 *
 * @param consume rejects for a message that is to come again; `deadline` is when this run ends at the latest, in milliseconds since the epoch
 */
export function createQueueHandler(clock: Clock, consume: (message: QueueMessage, deadline: number) => Promise<void>): QueueHandler {
  return (event, context) => {
    const deadline = clock() + context.getRemainingTimeInMillis();
    const consumeRecord = (record: SQSRecord): Promise<void> =>
      consume(
        { body: record.body, receiptHandle: record.receiptHandle, receiveCount: Number(record.attributes.ApproximateReceiveCount) },
        deadline,
      );
    return processPartialResponse(event, consumeRecord, new BatchProcessor(EventType.SQS), { throwOnFullBatchFailure: false });
  };
}

/** What a schedule calls a function with, whatever it says: it has no records. */
type Scheduled = Readonly<Record<string, unknown>> & { readonly Records?: undefined };
export type QueueOrScheduleHandler = (
  event: SQSEvent | Scheduled,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse | undefined>;

/** One function for messages and for a schedule. */
export function createQueueOrScheduleHandler(consume: QueueHandler, onSchedule: () => Promise<void>): QueueOrScheduleHandler {
  return async (event, context) => {
    if (event.Records !== undefined) return consume(event, context);
    await onSchedule();
    return undefined;
  };
}
