import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { aws } from './aws-errors.ts';
import { CordonError } from './errors.ts';
import { platformSource } from './event-envelope.ts';

/** Resolves with the event's ID when it is on the bus. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED. */
export type PublishAsPlatform<Events> = <Type extends keyof Events & string>(type: Type, detail: Events[Type]) => Promise<string>;

/** Publishes as the platform does: for those who take the event it makes no difference whether a wish came through the platform or through Cordon's own API. */
export function createPublishAsPlatform<Events>(client: EventBridgeClient, eventBusName: string): PublishAsPlatform<Events> {
  return (type, detail) =>
    aws(`publishing ${type}`, async () => {
      const entry = { EventBusName: eventBusName, Source: platformSource, DetailType: type, Detail: JSON.stringify(detail) };
      const { Entries: [published] = [] } = await client.send(new PutEventsCommand({ Entries: [entry] }));
      // PutEvents succeeds as a call when entries fail. Source: EventBridge API Reference, PutEvents.
      if (published?.EventId === undefined)
        throw new CordonError('AWS_UNAVAILABLE', `publishing ${type} failed (${published?.ErrorCode ?? 'no reason given'})`, {
          retryable: true,
        });
      return published.EventId;
    });
}
