import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { type ParsedMessage, parseBody, problemsOf } from '../shared/inbound-message.ts';
import { dueMessage } from './due-message.ts';

/** What the sweep found due, for a worker of one kind of item. */
export interface ParsedDue {
  readonly type: 'due';
  readonly detail: {
    readonly tenantId: TenantId;
    /** What is behind the prefix of the sort key. */
    readonly id: string;
    /** Milliseconds since the epoch. */
    readonly dueAt: number;
  };
}

/**
 * Parses a message of the sweep. Only the sweep and the rules may put anything on a worker's queue.
 *
 * @param prefix of the sort keys that the worker deals with, e.g. `REVOCATION#`
 * @returns undefined when the message is none of the sweep's
 */
export function parseDue(body: string, prefix: string): ParsedMessage<ParsedDue> | undefined {
  const json = parseBody(body);
  if (typeof json !== 'object' || json === null || !('kind' in json)) return undefined;
  const parsed = dueMessage.safeParse(json);
  if (!parsed.success) return unbelieved(problemsOf(parsed.error));
  const { tenantId, sk, dueAt } = parsed.data;
  if (!sk.startsWith(prefix) || sk === prefix) return unbelieved('sk: is due elsewhere');
  const eventId = `${sk}@${dueAt}`;
  return {
    believed: true,
    identity: { tenantId, eventId, detailType: 'due' },
    sent: { id: eventId, time: new Date(dueAt).toISOString() },
    event: { type: 'due', detail: { tenantId, id: sk.slice(prefix.length), dueAt } },
  };
}

function unbelieved(why: string): ParsedMessage<ParsedDue> {
  return { believed: false, identity: {}, error: new CordonError('EVENT_INVALID', `the message of the sweep is not valid: ${why}`) };
}
