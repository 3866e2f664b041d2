import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { LimitsEnvVariables } from '../../functions/isolation/limits/env.ts';
import { observedDetailTypes } from '../../functions/isolation/limits/events.ts';
import { cordonSource } from '../../functions/shared/event-envelope.ts';
import { EventIntake } from './event-intake.ts';
import { ServiceFunction } from './service-function.ts';

/**
 * Who was throttled by which provider, and when; of the last hours. Not in the registry: whoever looks for tenants that are throttled together looks at all of them with its
 * own standing role, and no standing role reads a tenant's items.
 */
export class ThrottlingsTable extends Construct {
  readonly table: Table;

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      timeToLiveAttribute: 'ttl',
    });
  }
}

export interface RateLimitsProps {
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly table: Table;
}

/** Finds tenants that share a provider's rate limit, from what the broker sees of it. It reads nothing of a tenant and can change nothing but its own table. */
export class RateLimits extends Construct {
  readonly intake: EventIntake;
  readonly finder: ServiceFunction;

  constructor(parent: Construct, id: string, props: RateLimitsProps) {
    super(parent, id);
    const functionTimeout = Duration.seconds(30);
    this.intake = new EventIntake(this, 'Intake', {
      bus: props.bus,
      functionTimeout,
      alarmAction: props.alarmAction,
      patterns: { Throttled: { source: [cordonSource], detailType: [...observedDetailTypes] } },
    });
    const environment: LimitsEnvVariables = {
      EVENT_BUS_NAME: props.bus.eventBusName,
      QUEUE_URL: this.intake.queue.queueUrl,
      DEAD_LETTER_QUEUE_URL: this.intake.deadLetterQueue.queueUrl,
      MAX_RECEIVE_COUNT: String(this.intake.maxReceiveCount),
      PLATFORM_ACCOUNT_ID: Stack.of(this).account,
      THROTTLINGS_TABLE: props.table.tableName,
    };
    this.finder = new ServiceFunction(this, 'Function', {
      entry: 'isolation/limits/find-shared-limits.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout: functionTimeout,
      statements: [
        ...this.intake.consumerStatements(),
        new PolicyStatement({
          sid: 'KeepThrottlings',
          actions: ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
          resources: [props.table.tableArn],
        }),
        new PolicyStatement({
          sid: 'TellFindings',
          actions: ['events:PutEvents'],
          resources: [props.bus.eventBusArn],
          conditions: {
            StringEquals: {
              'events:source': cordonSource,
              'events:detail-type': ['EventHandlingFailed', 'IsolationViolationDetected'],
            },
          },
        }),
      ],
    });
    // Two at a time are enough for what is rare, and in a storm of throttling the rest may wait.
    this.intake.deliverTo(this.finder.function, 2);
  }
}
