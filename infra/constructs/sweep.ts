import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type IManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SweepEnvVariables } from '../../functions/sweep/env.ts';
import { runbook } from './runbook.ts';
import { ServiceFunction } from './service-function.ts';
import { dueIndexArn, type TenantStatementScope } from './tenant-statements.ts';

export interface SweepProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly registryTable: string;
  readonly alarmAction: IAlarmAction;
  /** Who takes what is due, by the kind of registry item (`CONNECTION`). */
  readonly queues: Readonly<Record<string, IQueue>>;
}

/**
 * Finds what is due, every minute, and hands it to its worker. One of the two standing readers of the registry: it sees the keys of scheduled items, of all
 * tenants, and nothing else of them.
 */
export class Sweep extends Construct {
  readonly function: ServiceFunction;

  constructor(parent: Construct, id: string, props: SweepProps) {
    super(parent, id);
    const queues = Object.values(props.queues);
    const environment: SweepEnvVariables = {
      REGISTRY_TABLE: props.registryTable,
      DUE_QUEUES: JSON.stringify(Object.fromEntries(Object.entries(props.queues).map(([kind, queue]) => [kind, queue.queueUrl]))),
    };
    this.function = new ServiceFunction(this, 'Function', {
      entry: 'sweep/find-due.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout: Duration.seconds(50),
      statements: [
        new PolicyStatement({ sid: 'FindDue', actions: ['dynamodb:Query'], resources: [dueIndexArn(props.scope)] }),
        new PolicyStatement({
          sid: 'HandOver',
          actions: ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
          resources: queues.map((queue) => queue.queueArn),
        }),
      ],
    });
    const invoke = new PolicyStatement({
      sid: 'RunSweep',
      actions: ['lambda:InvokeFunction'],
      resources: [this.function.function.functionArn],
    });
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': props.scope.account } },
      }),
      inlinePolicies: { Schedule: new PolicyDocument({ minimize: false, statements: [invoke] }) },
    });
    new Schedule(this, 'EveryMinute', {
      description: 'Finds what is due',
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      // A run that failed is made up for by the next one.
      target: new LambdaInvoke(this.function.function, { role: role.withoutPolicyUpdates(), retryAttempts: 0 }),
    });
    new Alarm(this, 'FailureAlarm', {
      alarmDescription: `The sweep failed five times within ten minutes: nothing that is due is being done. ${runbook('Sweep')}`,
      metric: this.function.function.metricErrors({ period: Duration.minutes(10) }),
      threshold: 5,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(props.alarmAction);
  }
}
