import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { toldAgain } from '../../functions/revocation/events.ts';
import { aws } from '../../functions/shared/aws-errors.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { eventEnvelope, platformSource } from '../../functions/shared/event-envelope.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { logMessages } from './log-messages.ts';

const about = z.looseObject({ tenantId });
const queues: ReadonlyMap<string, string> = new Map(
  Object.entries(toldAgain).flatMap(([queue, types]) => types.map((type) => [type, queue] as const)),
);
/** SQS takes ten messages and a mebibyte at once; one event may have a quarter of that. Source: SQS API Reference, SendMessageBatch. */
const batch = { messages: 10, characters: 240_000 };

/** An event that took something away, as the bus delivered it. */
export interface Requested {
  readonly eventId: string;
  readonly type: string;
  /** When it was sent. ISO 8601. */
  readonly time: string;
  readonly tenantId: TenantId;
  /** Of whoever carries it out. */
  readonly queue: string;
  /** The whole event, JSON. */
  readonly body: string;
}

/**
 * What was asked for since, oldest first, each event once.
 *
 * @param since milliseconds since the epoch
 * @throws CordonError as `aws`
 */
export async function requestedSince(cloud: Pick<Cloud, 'logs' | 'eventLogGroup'>, since: number): Promise<readonly Requested[]> {
  const found = new Map<string, Requested>();
  for await (const message of logMessages(cloud, 'reading what was asked for', platformSource, since)) {
    const requested = requestedOf(message);
    if (requested !== undefined) found.set(requested.eventId, requested);
  }
  return [...found.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** Undefined for what names no tenant: whoever was to carry it out has refused it, and would again. */
function requestedOf(body: string): Requested | undefined {
  const event = eventEnvelope.safeParse(JSON.parse(body));
  const detail = about.safeParse(event.data?.detail);
  const queue = queues.get(event.data?.['detail-type'] ?? '');
  if (event.data?.source !== platformSource || !detail.success || queue === undefined) return undefined;
  const { id, time, 'detail-type': type } = event.data;
  return { eventId: id, type, time, tenantId: detail.data.tenantId, queue, body };
}

/**
 * Hands events to their workers once more, with the ID and the time that they had: what is done is not done again.
 *
 * @throws CordonError as `aws`
 */
export async function tellAgain(cloud: Pick<Cloud, 'sqs' | 'queues'>, requests: readonly Requested[]): Promise<void> {
  for (const [name, { url }] of Object.entries(cloud.queues)) {
    for (const entries of batchesOf(requests.filter(({ queue }) => queue === name))) {
      await aws(`telling ${name} again`, async () => {
        const Entries = entries.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
        const { Failed = [] } = await cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
        // The call succeeds when single messages fail. Source: SQS API Reference, SendMessageBatch.
        if (Failed.length > 0)
          throw new CordonError('AWS_UNAVAILABLE', `${Failed.length} message(s) were not taken: run the command again`, {
            retryable: true,
          });
      });
    }
  }
}

function batchesOf(requests: readonly Requested[]): readonly (readonly Requested[])[] {
  const batches: Requested[][] = [];
  let characters = 0;
  for (const request of requests) {
    const last = batches.at(-1);
    characters += request.body.length;
    if (last === undefined || last.length === batch.messages || characters > batch.characters) {
      batches.push([request]);
      characters = request.body.length;
    } else last.push(request);
  }
  return batches;
}
