import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { platformSource } from '../shared/event-envelope.ts';
import type { PublishWish } from './change-connections.ts';

/** Publishes as the platform does: for `byoc` it makes no difference whether a customer's wish came through the platform or through this API. */
export function createPublishWish(client: EventBridgeClient, eventBusName: string): PublishWish {
  return (type, detail) =>
    aws(`publishing ${type}`, async () => {
      const entry = { EventBusName: eventBusName, Source: platformSource, DetailType: type, Detail: JSON.stringify(detail) };
      const answer = await client.send(new PutEventsCommand({ Entries: [entry] }));
      // PutEvents succeeds as a call when entries fail. Source: EventBridge API Reference, PutEvents.
      if (answer.FailedEntryCount !== 0)
        throw new CordonError('AWS_UNAVAILABLE', `publishing ${type} failed (${answer.Entries?.[0]?.ErrorCode ?? 'no reason given'})`, {
          retryable: true,
        });
    });
}
