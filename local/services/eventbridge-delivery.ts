/**
 * Hands events to rule targets: asynchronously, at least once, as `events.amazonaws.com`, so that each target's own policy decides.
 * Source: EventBridge User Guide, "How EventBridge retries delivering events" and "Using dead-letter queues to process undelivered events".
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError } from '../core/aws-error.ts';
import type { Caller, Kernel } from '../core/service.ts';

export interface Target {
  readonly Id: string;
  readonly Arn: string;
  readonly SqsParameters?: { readonly MessageGroupId: string } | undefined;
  readonly DeadLetterConfig?: { readonly Arn?: string | undefined } | undefined;
  readonly RetryPolicy?:
    | { readonly MaximumRetryAttempts?: number | undefined; readonly MaximumEventAgeInSeconds?: number | undefined }
    | undefined;
}

interface Delivery {
  readonly ruleArn: string;
  readonly target: Target;
  /** The event's envelope as JSON. */
  readonly event: string;
}

export interface Deliveries {
  start(delivery: Delivery): void;
  /** Events on their way, retries included. */
  readonly underWay: number;
  /** Ends retries; what is under way is given up. */
  close(): void;
}

type Send = (caller: Caller, delivery: Delivery) => Promise<unknown>;

/** The services a target ARN may belong to. */
export const isDeliverable = (arn: string): boolean => /^arn:aws:(?:sqs|lambda|logs):/.test(arn);

/** @param report takes one line for people about an event that was dropped; never the event itself. */
export function createDeliveries(kernel: Kernel, report: (line: string) => void): Deliveries {
  const streams = new Set<string>();
  const stopped = new AbortController();
  let underWay = 0;

  const send: Readonly<Record<string, Send>> = {
    sqs: (caller, { target, event }) =>
      kernel.call(
        caller,
        'sqs',
        'SendMessage',
        { QueueUrl: queueUrl(target.Arn), MessageBody: event, ...target.SqsParameters },
        addressed(target.Arn),
      ),
    lambda: (caller, { target, event }) =>
      kernel.call(caller, 'lambda', 'Invoke', { FunctionName: target.Arn, InvocationType: 'Event', Payload: event }, addressed(target.Arn)),
    async logs(caller, { ruleArn, target, event }) {
      const logGroupName = target.Arn.replace(/^.*?:log-group:/, '').replace(/:\*$/, '');
      const logStreamName = `${ruleArn.split('/').at(-1)}-${target.Id}`;
      const key = `${target.Arn} ${logStreamName}`;
      if (!streams.has(key)) {
        await kernel.call(caller, 'logs', 'CreateLogStream', { logGroupName, logStreamName }, addressed(target.Arn)).catch(ignoreExisting);
        streams.add(key);
      }
      const logEvents = [{ timestamp: kernel.clock.now(), message: event }];
      await kernel.call(caller, 'logs', 'PutLogEvents', { logGroupName, logStreamName, logEvents }, addressed(target.Arn));
    },
  };

  const deliver = async (delivery: Delivery): Promise<void> => {
    const { ruleArn, target } = delivery;
    const caller = kernel.serviceCaller('events.amazonaws.com', accountOf(ruleArn), {
      'aws:SourceArn': ruleArn,
      'aws:SourceAccount': accountOf(ruleArn),
    });
    const deadline = kernel.clock.now() + 1000 * (target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400);
    const retries = target.RetryPolicy?.MaximumRetryAttempts ?? 185;
    for (let attempt = 0; ; attempt++) {
      try {
        await send[target.Arn.split(':')[2] ?? '']?.(caller, delivery);
        return;
      } catch (error) {
        // A missing permission or target is not retried: the event goes to the dead-letter queue at once.
        const lasting = error instanceof AwsError && error.status < 500 && !/throttl|toomanyrequests/i.test(error.code);
        const exhausted =
          attempt >= retries ? 'MaximumRetryAttempts' : kernel.clock.now() >= deadline ? 'MaximumEventAgeInSeconds' : undefined;
        if (lasting || exhausted !== undefined) return await giveUp(delivery, caller, error, attempt, exhausted);
        await sleep(Math.min(20 * 2 ** attempt, 5000), undefined, { signal: stopped.signal, ref: false });
      }
    }
  };

  const giveUp = async (
    { ruleArn, target, event }: Delivery,
    caller: Caller,
    error: unknown,
    retries: number,
    exhausted: string | undefined,
  ): Promise<void> => {
    const code = error instanceof AwsError ? error.code : 'InternalFailure';
    const deadLetterArn = target.DeadLetterConfig?.Arn;
    if (deadLetterArn === undefined)
      return report(`EventBridge dropped an event of ${ruleArn} for ${target.Arn}: ${code}: ${message(error)}`);
    const text = (value: string): object => ({ DataType: 'String', StringValue: value });
    const MessageAttributes = {
      RULE_ARN: text(ruleArn),
      TARGET_ARN: text(target.Arn),
      ERROR_CODE: text(code),
      ERROR_MESSAGE: text(message(error)),
      RETRY_ATTEMPTS: text(String(retries)),
      ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: text(exhausted) }),
    };
    await kernel.call(
      caller,
      'sqs',
      'SendMessage',
      { QueueUrl: queueUrl(deadLetterArn), MessageBody: event, MessageAttributes },
      addressed(deadLetterArn),
    );
  };

  return {
    start(delivery) {
      underWay++;
      deliver(delivery)
        .catch((error: unknown) => {
          if (!stopped.signal.aborted)
            report(`EventBridge lost an event of ${delivery.ruleArn}: its dead-letter queue did not take it: ${message(error)}`);
        })
        .finally(() => underWay--);
    },
    get underWay() {
      return underWay;
    },
    close: () => stopped.abort(),
  };
}

const accountOf = (arn: string): string => arn.split(':')[4] ?? '';
const addressed = (arn: string): { accountId: string } => ({ accountId: accountOf(arn) });
/** SQS reads account and name from the end of the URL; the host does not matter. */
const queueUrl = (arn: string): string => `https://sqs/${accountOf(arn)}/${arn.split(':')[5]}`;
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function ignoreExisting(error: unknown): void {
  if (!(error instanceof AwsError) || error.code !== 'ResourceAlreadyExistsException') throw error;
}
