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
