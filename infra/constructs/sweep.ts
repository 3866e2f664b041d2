import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SweepEnvVariables } from '../../functions/sweep/env.ts';
import { runbook } from './runbook.ts';
import { runEvery } from './scheduled-runs.ts';
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
    runEvery(this, 'EveryMinute', {
      function: this.function,
      every: Duration.minutes(1),
      description: 'Finds what is due',
      sid: 'RunSweep',
      retryAttempts: 0, // a run that failed is made up for by the next one
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
