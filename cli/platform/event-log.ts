import { z } from 'zod';
import { cordonSource } from '../../functions/shared/event-envelope.ts';
import { failure } from '../../functions/shared/failure-event.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError } from '../command-error.ts';
import { logMessages } from './log-messages.ts';

/** What others have sent lies in the same log. */
const publishedEvent = z.looseObject({
  source: z.literal(cordonSource),
  'detail-type': z.string(),
  detail: z.record(z.string(), z.unknown()),
});

/** How much earlier than an event's own time its consequences are looked for: clocks differ. */
const marginMs = 5 * 60_000;

export interface Published {
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * What Cordon has published that names `term` (an event ID, a tenant ID), oldest first.
 *
 * @param since milliseconds since the epoch, by AWS's clock
 * @throws CordonError as `aws`
 */
export function publishedAbout(cloud: Cloud, term: string, since: number): Promise<readonly Published[]> {
  return published(cloud, term, since - marginMs);
}

/** Every event of a type that Cordon has published since, of whichever tenant; as `publishedAbout`. */
export async function everPublished(cloud: Cloud, type: string, since: number): Promise<readonly Published[]> {
  return (await published(cloud, type, since)).filter((event) => event.type === type);
}

async function published(cloud: Cloud, term: string, startTime: number): Promise<readonly Published[]> {
  const found: Published[] = [];
  for await (const message of logMessages(cloud, 'reading the event log', term, startTime)) {
    const event = publishedEvent.safeParse(JSON.parse(message));
    if (event.success) found.push({ type: event.data['detail-type'], detail: event.data.detail });
  }
  return found;
}

/** An event on its way: what a command has sent and now follows. */
export interface Sent {
  readonly eventId: string;
  /** By AWS's clock. */
  readonly at: number;
}

/**
 * Whether Cordon has said that the event could not be done.
 *
 * @throws CommandError with the reason's own code
 */
export async function throwIfFailed(cloud: Cloud, { eventId, at }: Sent): Promise<void> {
  for (const { detail } of await publishedAbout(cloud, eventId, at)) {
    const failed = failure.safeParse(detail);
    if (!failed.success || failed.data.event.id !== eventId) continue;
    const { reason, left } = failed.data;
    const rest = left.length === 0 ? '' : ` Left over: ${left.join('; ')}.`;
    throw new CommandError(
      reason.code,
      `${reason.code}: ${reason.message}.${rest} The event ${eventId} lies in a dead-letter queue: see \`cordon dlq list\`.`,
    );
  }
}
