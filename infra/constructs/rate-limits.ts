import { Duration, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { LimitsEnvVariables } from '../../functions/isolation/limits/env.ts';
import { observedDetailTypes } from '../../functions/isolation/limits/events.ts';
import { cordonSource } from '../../functions/shared/event-envelope.ts';
import { EventIntake } from './event-intake.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';

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
      ...this.intake.environment,
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
        putEventsStatement(props.bus, {
          sid: 'TellFindings',
          source: cordonSource,
          detailTypes: ['EventHandlingFailed', 'IsolationViolationDetected'],
        }),
      ],
    });
    // Two at a time are enough for what is rare, and in a storm of throttling the rest may wait.
    this.intake.deliverTo(this.finder.function, { maxConcurrency: 2 });
  }
}
