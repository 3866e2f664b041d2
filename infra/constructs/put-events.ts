import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

export interface PutEvents {
  readonly sid: string;
  /** As whom: the platform asks, Cordon tells. */
  readonly source: string;
  /** @default - whatever that source may say */
  readonly detailTypes?: string | readonly string[];
}

/** Lets a function put events on the bus, as that source and of those types only. */
export function putEventsStatement(bus: IEventBus, { sid, source, detailTypes }: PutEvents): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: ['events:PutEvents'],
    resources: [bus.eventBusArn],
    conditions: { StringEquals: { 'events:source': source, ...(detailTypes !== undefined && { 'events:detail-type': detailTypes }) } },
  });
}
