import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventBus, type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { addAlarm } from './alarm.ts';

export interface EventIntakeProps {
  readonly bus: EventBus;
  /** Which events come in, by the name of the rule. */
  readonly patterns: Readonly<Record<string, EventPattern>>;
  /** The timeout of the function that will consume; the queue hides a message six times as long, as Lambda asks. */
  readonly functionTimeout: Duration;
  readonly alarmAction: IAlarmAction;
  /** Deliveries of one message before it goes to the dead-letter queue. @default 10 */
  readonly maxReceiveCount?: number;
}

type QueueEnvVariables = Readonly<Record<'QUEUE_URL' | 'DEAD_LETTER_QUEUE_URL' | 'MAX_RECEIVE_COUNT', string>>;

/** Rules → queue (with dead-letter queue, redrive and alarms) → function. Nothing that enters can leave unseen. */
export class EventIntake extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly maxReceiveCount: number;

  constructor(parent: Construct, id: string, props: EventIntakeProps) {
    super(parent, id);
    this.maxReceiveCount = props.maxReceiveCount ?? 10;
    this.deadLetterQueue = new Queue(this, 'DeadLetters', {
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    this.queue = new Queue(this, 'Queue', {
      visibilityTimeout: Duration.seconds(props.functionTimeout.toSeconds() * 6),
      retentionPeriod: Duration.days(14),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // The handler puts a message aside itself, with the reason, at `maxReceiveCount`; one more is for a handler that dies before it can.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: this.maxReceiveCount + 1 },
    });
    for (const [name, eventPattern] of Object.entries(props.patterns)) {
      new Rule(this, name, {
        eventBus: props.bus,
        eventPattern,
        targets: [new SqsQueue(this.queue, { deadLetterQueue: this.deadLetterQueue })],
      });
    }
    addAlarm(
      this,
      'DeadLetterAlarm',
      {
        says: 'An event could not be handled: read its reason in the dead-letter queue, mend the cause, redrive.',
        runbook: 'Dead letters',
        metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      },
      props.alarmAction,
    );
    addAlarm(
      this,
      'BacklogAlarm',
      {
        says: 'Events wait longer than 15 minutes: the function fails, is throttled, or its provider is down.',
        runbook: 'Backlog',
        metric: this.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
        above: Duration.minutes(15).toSeconds(),
      },
      props.alarmAction,
    );
  }

  /** What the consumer is told of its queue. */
  get environment(): QueueEnvVariables {
    return {
      QUEUE_URL: this.queue.queueUrl,
      DEAD_LETTER_QUEUE_URL: this.deadLetterQueue.queueUrl,
      MAX_RECEIVE_COUNT: String(this.maxReceiveCount),
    };
  }

  /** What the consumer needs: to take messages, and to put one aside with its reason. */
  consumerStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({
        sid: 'ConsumeQueue',
        actions: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
        resources: [this.queue.queueArn],
      }),
      new PolicyStatement({ sid: 'PutAside', actions: ['sqs:SendMessage'], resources: [this.deadLetterQueue.queueArn] }),
    ];
  }

  /** Wires the consumer: partial batches, and few runs at once unless told otherwise, because each works through STS, which allows 600 calls/s an account. */
  deliverTo(consumer: IFunction, { batchSize = 10, maxConcurrency = 10 }: { batchSize?: number; maxConcurrency?: number } = {}): void {
    consumer.addEventSource(new SqsEventSource(this.queue, { batchSize, maxConcurrency, reportBatchItemFailures: true }));
  }
}
