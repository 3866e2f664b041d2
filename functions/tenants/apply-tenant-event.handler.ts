import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type ApplyDeps, applyTenantEvent } from './apply-tenant-event.ts';

export type TenantEventHandler = (event: SQSEvent, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<SQSBatchResponse>;

/** Applies each message of a batch on its own; those that are to come again are named in the answer (Lambda Developer Guide, "Reporting batch item failures"). */
export function createHandler(deps: ApplyDeps): TenantEventHandler {
  return (event, context) => {
    const deadline = deps.clock() + context.getRemainingTimeInMillis();
    const applyRecord = (record: SQSRecord): Promise<void> =>
      applyTenantEvent(
        deps,
        { body: record.body, receiptHandle: record.receiptHandle, receiveCount: Number(record.attributes.ApproximateReceiveCount) },
        deadline,
      );
    return processPartialResponse(event, applyRecord, new BatchProcessor(EventType.SQS), { throwOnFullBatchFailure: false });
  };
}
