import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Announcer, OutboundEvents } from './announcer.ts';
import { aws } from './aws-errors.ts';
import { CordonError } from './errors.ts';
import { cordonSource } from './event-envelope.ts';

export function createAnnouncer<Events extends OutboundEvents>(client: EventBridgeClient, eventBusName: string): Announcer<Events> {
  return {
    announce: (type, detail) =>
      aws(`publishing ${type}`, async () => {
        const entry = { EventBusName: eventBusName, Source: cordonSource, DetailType: type, Detail: JSON.stringify(detail) };
        const answer = await client.send(new PutEventsCommand({ Entries: [entry] }));
        // PutEvents succeeds as a call when entries fail. Source: EventBridge API Reference, PutEvents.
        if (answer.FailedEntryCount !== 0) {
          throw new CordonError('AWS_UNAVAILABLE', `publishing ${type} failed (${answer.Entries?.[0]?.ErrorCode ?? 'no reason given'})`, {
            retryable: true,
          });
        }
      }),
  };
}
