import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { cordonSource } from '../shared/event-envelope.ts';
import type { Announcer } from './announcer.ts';

export function createAnnouncer(client: EventBridgeClient, eventBusName: string): Announcer {
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
