/**
 * One standard queue: messages, their visibility on the cloud's clock, the way to the dead-letter queue.
 * Source: SQS Developer Guide, "Amazon SQS visibility timeout", "Using dead-letter queues", "Amazon SQS fair queues".
 */
import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from '../core/aws-error.ts';
import type { Clock } from '../core/clock.ts';

interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  /** Base64. */
  readonly BinaryValue?: string;
}
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

export interface Message {
  /** Tells deliveries of one message apart; the same as `id` unless it was duplicated. */
  readonly key: string;
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly senderId: string;
  readonly sentAt: number;
  /** On a standard queue a fairness tag, not an ordering guarantee. */
  readonly groupId?: string;
  readonly deadLetterSource?: string;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt?: number;
  /** The handle of the latest delivery; an older one no longer deletes. */
  receipt?: string;
}
export type NewMessage = Pick<Message, 'body' | 'attributes' | 'senderId' | 'groupId' | 'deadLetterSource'>;

/** `ready`: can be received. `inFlight`: received, not deleted, hidden. `delayed`: never received, hidden. */
export interface Depth {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface Queue {
  readonly arn: string;
  readonly name: string;
  readonly accountId: string;
  readonly createdAt: number;
  modifiedAt: number;
  /** Attributes as set by the owner; what was never set has its default in `sqs-attributes.ts`. */
  readonly attributes: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly messages: Map<string, Message>;
  /** Called whenever a message may have become visible. */
  readonly listeners: Set<() => void>;
}

export function createQueue(identity: { arn: string; name: string; accountId: string }, now: number): Queue {
  return {
    ...identity,
    createdAt: now,
    modifiedAt: now,
    attributes: new Map(),
    tags: new Map(),
    messages: new Map(),
    listeners: new Set(),
  };
}

export const md5 = (text: string | Buffer): string => createHash('md5').update(text).digest('hex');

/** The digest clients compare: names in order, each part with its length. Source: SQS Developer Guide, "Calculating the MD5 message digest for message attributes". */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const sized = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const parts = names.flatMap((name) => {
    const { DataType, StringValue, BinaryValue } = attributes[name] ?? { DataType: '' };
    const binary = BinaryValue !== undefined;
    const value = binary ? Buffer.from(BinaryValue, 'base64') : Buffer.from(StringValue ?? '');
    return [sized(Buffer.from(name)), sized(Buffer.from(DataType)), Buffer.from([binary ? 2 : 1]), sized(value)];
  });
  return md5(Buffer.concat(parts));
}

export function wake(queue: Queue): void {
  for (const listener of [...queue.listeners]) listener();
}

/** Adds a message, visible after `delaySeconds`. */
export function send(queue: Queue, message: NewMessage, now: number, delaySeconds: number): Message {
  const id = randomUUID();
  const added: Message = { ...message, key: id, id, sentAt: now, visibleAt: now + delaySeconds * 1000, receiveCount: 0 };
  queue.messages.set(added.key, added);
  wake(queue);
  return added;
}

/** At-least-once delivery at its worst: the message is there a second time, under the same ID, and visible at `visibleAt`. */
export function duplicate(queue: Queue, message: Message, visibleAt: number): void {
  const { receipt: _other, ...rest } = message;
  const copy: Message = { ...rest, key: randomUUID(), visibleAt };
  queue.messages.set(copy.key, copy);
  wake(queue);
}

/** Forgets what is older than the retention period; in a dead-letter queue age counts from the first sending. */
export function expire(queue: Queue, now: number, retentionSeconds: number): void {
  for (const message of queue.messages.values()) if (message.sentAt + retentionSeconds * 1000 <= now) queue.messages.delete(message.key);
}

/**
 * Takes up to `count` visible messages and hides them for `visibilitySeconds`. Groups with the fewest messages in flight come first, so
 * that one tenant's backlog does not hold up another's message. `exhausted` is called for a message received `maxReceives` times already,
 * instead of delivering it.
 */
export function receive(
  queue: Queue,
  now: number,
  options: { count: number; visibilitySeconds: number; maxReceives: number; exhausted(message: Message): void },
): readonly Message[] {
  const inFlight = new Map<string, number>();
  const visible = new Set<Message>();
  for (const message of queue.messages.values()) {
    if (message.visibleAt > now) {
      if (message.groupId !== undefined) inFlight.set(message.groupId, (inFlight.get(message.groupId) ?? 0) + 1);
    } else if (message.receiveCount >= options.maxReceives) options.exhausted(message);
    else visible.add(message);
  }
  const load = (message: Message): number => (message.groupId === undefined ? 0 : (inFlight.get(message.groupId) ?? 0));
  const taken: Message[] = [];
  while (taken.length < options.count && visible.size > 0) {
    let message: Message | undefined;
    for (const candidate of visible) {
      if (message === undefined || load(candidate) < load(message)) message = candidate;
      if (load(message) === 0) break;
    }
    if (message === undefined) break;
    visible.delete(message);
    if (message.groupId !== undefined) inFlight.set(message.groupId, load(message) + 1);
    message.receiveCount++;
    message.firstReceivedAt ??= now;
    message.visibleAt = now + options.visibilitySeconds * 1000;
    message.receipt = receiptFor(message);
    taken.push(message);
  }
  return taken;
}

/** A fresh handle that names its message: a stale one is recognised, not mistaken for garbage. */
const receiptFor = (message: Message): string => Buffer.from(`${message.key} ${randomUUID()}`).toString('base64');

/** The message a receipt handle was given for; undefined when it is gone. @throws AwsError `ReceiptHandleIsInvalid` for what was never a handle. */
export function messageOf(queue: Queue, receipt: string): Message | undefined {
  const key = Buffer.from(receipt, 'base64').toString().split(' ')[0] ?? '';
  if (!/^[0-9a-f-]{36}$/.test(key)) throw new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  return queue.messages.get(key);
}

export function depth(queue: Queue, now: number): Depth {
  const count = { ready: 0, inFlight: 0, delayed: 0 };
  for (const message of queue.messages.values())
    count[message.visibleAt <= now ? 'ready' : message.receiveCount > 0 ? 'inFlight' : 'delayed']++;
  return count;
}

/** Resolves when a message can be received, at clock time `until` at the latest (never, when left out). Rejects when aborted. */
export async function untilVisible(queue: Queue, clock: Clock, until = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const now = clock.now();
    let earliest = until;
    for (const message of queue.messages.values()) earliest = Math.min(earliest, message.visibleAt);
    if (earliest <= now) return;
    const changed = new AbortController();
    const listen = (): void => changed.abort(changed);
    queue.listeners.add(listen);
    try {
      const stop = signal === undefined ? changed.signal : AbortSignal.any([signal, changed.signal]);
      // No message and no deadline: ten years, well inside what a date can hold.
      await clock.until(Math.min(earliest, now + 315_360_000_000), stop);
    } catch (reason) {
      if (reason !== changed) throw reason;
    } finally {
      queue.listeners.delete(listen);
    }
  }
}
