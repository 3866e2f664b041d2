import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { z } from 'zod';
import { aws } from '../../functions/shared/aws-errors.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { platformSource } from '../../functions/shared/event-envelope.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { usageError } from '../command-error.ts';
import { membersOf } from '../problems.ts';

/**
 * Puts an event of the platform on the bus, after checking it as its receiver will.
 *
 * @returns the event's ID, by which everything that comes of it is known
 * @throws CommandError USAGE naming each member that is wrong, with nothing sent; CordonError as `aws`
 */
export function publishEvent(cloud: Cloud, detailType: string, schema: z.ZodType, detail: object): Promise<string> {
  const parsed = schema.safeParse(detail);
  if (!parsed.success) throw usageError(`${detailType} cannot be sent like this:\n${membersOf(parsed.error)}`);
  return aws(`publishing ${detailType}`, async () => {
    const entry = { EventBusName: cloud.eventBusName, Source: platformSource, DetailType: detailType, Detail: JSON.stringify(parsed.data) };
    const { Entries } = await cloud.events.send(new PutEventsCommand({ Entries: [entry] }));
    // PutEvents succeeds as a call when entries fail. Source: EventBridge API Reference, PutEvents.
    const { EventId, ErrorCode = 'no reason given' } = Entries?.[0] ?? {};
    if (EventId === undefined)
      throw new CordonError('AWS_UNAVAILABLE', `publishing ${detailType} failed (${ErrorCode})`, { retryable: true });
    return EventId;
  });
}
