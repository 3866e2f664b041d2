import type { Clock } from './clock.ts';
import type { Delivery } from './delivery.ts';
import { CordonError } from './errors.ts';
import type { CommonFailureType, Failure } from './failure-event.ts';
import type { InboundEvent, ParsedMessage } from './inbound-message.ts';
import type { Inbox } from './inbox.ts';
import type { Log } from './log.ts';

/** A message as the queue delivers it. */
export interface QueueMessage {
  readonly body: string;
  readonly receiptHandle: string;
  /** 1 for the first delivery. */
  readonly receiveCount: number;
}

/** What consuming needs, whatever the messages are about. */
export interface ConsumeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
  /** After this many deliveries a message is given up. */
  readonly maxReceiveCount: number;
  /** 0 ≤ r < 1 */
  readonly random: () => number;
}

/** What one capability makes of its messages. */
export interface Consumer<Event extends InboundEvent, FailureType extends string> {
  parse(body: string): ParsedMessage<Event>;
  /** Applies an event. Throws CordonError; one that is retryable brings the message back. */
  apply(event: Event, delivery: Delivery, log: Log): Promise<void>;
  /** Undoes what an event left half done when it is given up. Returns what is left, one sentence each; does not throw. */
  abandon(event: Event, delivery: Delivery, failure: CordonError, log: Log): Promise<readonly string[]>;
  /** Which event says that one of this type could not be done. */
  readonly failureTypes: Readonly<Record<Event['type'], FailureType>>;
  announceFailure(type: FailureType | CommonFailureType, detail: Failure): Promise<void>;
}

/** SQS hides a message for at most twelve hours; a tenant does not wait longer than this for the next try. */
const maxDelaySeconds = 300;

/**
 * Applies one message. Returns when it is dealt with, which is also when it was put into the dead-letter queue with its reason and the failure was announced.
 *
 * @param deadline milliseconds since the epoch: when this run ends at the latest
 * @throws CordonError when the message is to be delivered again; it is hidden until then, twice as long each time
 */
export async function consumeMessage<Event extends InboundEvent, FailureType extends string>(
  deps: ConsumeDeps,
  consumer: Consumer<Event, FailureType>,
  message: QueueMessage,
  deadline: number,
): Promise<void> {
  const parsed = consumer.parse(message.body);
  if (!parsed.believed) return giveUp(deps, consumer, message, parsed, parsed.error, []);
  const { event, sent } = parsed;
  const delivery: Delivery = { eventId: sent.id, time: sent.time, deadline };
  const log = deps.log.with({
    tenantId: event.detail.tenantId,
    eventId: sent.id,
    detailType: event.type,
    receiveCount: message.receiveCount,
  });
  try {
    await consumer.apply(event, delivery, log);
  } catch (error) {
    const failure = failureOf(error);
    log.error('an event could not be applied', error, { code: failure.code, retryable: failure.retryable });
    if (failure.retryable && message.receiveCount < deps.maxReceiveCount) {
      await delay({ ...deps, log }, message, failure);
      throw failure;
    }
    const left = await consumer.abandon(event, delivery, failure, log);
    await giveUp(deps, consumer, message, parsed, failure, left);
  }
}

/** What nobody foresaw may pass; its message is not for others. */
export function failureOf(error: unknown): CordonError {
  if (error instanceof CordonError) return error;
  return new CordonError('AWS_UNAVAILABLE', 'something unexpected happened; the log has it', { retryable: true, cause: error });
}

/** 2, 4, 8 … seconds and up to half as much again, so that what failed together does not come back together; longer if the other side asked for it. */
export function delaySeconds(receiveCount: number, random: number, retryAfterSeconds = 0): number {
  const backoff = 2 ** Math.min(receiveCount, 10) * (1 + random / 2);
  return Math.ceil(Math.min(maxDelaySeconds, Math.max(backoff, retryAfterSeconds)));
}

async function delay(deps: ConsumeDeps, message: QueueMessage, failure: CordonError): Promise<void> {
  const seconds = delaySeconds(message.receiveCount, deps.random(), failure.retryAfterSeconds);
  try {
    await deps.inbox.delay(message.receiptHandle, seconds);
  } catch (error) {
    // Then the queue's own visibility timeout decides: later, but delivered.
    deps.log.error('a message could not be delayed', error);
  }
}

/** First the message is safe, then the failure is told. If telling fails, the message is delivered again and put aside twice rather than lost. */
async function giveUp<Event extends InboundEvent, FailureType extends string>(
  deps: ConsumeDeps,
  consumer: Consumer<Event, FailureType>,
  message: QueueMessage,
  parsed: ParsedMessage<Event>,
  error: CordonError,
  left: readonly string[],
): Promise<void> {
  const { tenantId, eventId, detailType } = parsed.identity;
  const reason = { code: error.code, message: error.message };
  await deps.inbox.putAside(message.body, reason);
  const detail: Failure = {
    version: 1,
    ...(tenantId !== undefined && { tenantId }),
    event: { ...(eventId !== undefined && { id: eventId }), ...(detailType !== undefined && { detailType }) },
    reason,
    left: [...left],
  };
  const type: Event['type'] | undefined = parsed.believed ? parsed.event.type : parsed.type;
  await consumer.announceFailure(type === undefined ? 'EventHandlingFailed' : consumer.failureTypes[type], detail);
  if (error.code === 'ACCESS_REFUSED') await consumer.announceFailure('IsolationViolationDetected', detail);
  deps.log.warn('a message was put aside', { tenantId, eventId, code: error.code, reason: error.message });
}
