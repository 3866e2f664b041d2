import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { FilterPattern } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { CutOffEnvVariables } from '../../functions/revocation/cut-off/env.ts';
import type { RevocationEnvVariables } from '../../functions/revocation/env.ts';
import { type AlarmRule, addAlarm } from './alarm.ts';
import { runEvery } from './scheduled-runs.ts';
import { ServiceFunction } from './service-function.ts';
import { revokedPolicyArn, type TenantStatementScope } from './tenant-statements.ts';

export interface CutOffProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly table: Table;
  readonly alarmAction: IAlarmAction;
}

/**
 * Cuts off sessions that were issued before a revocation: one function, once at a time, owns the managed policy `Revoked`, which is attached to the tenant roles. IAM has no
 * conditional write, and reads what was written only after a while; two writers would take each other's entries out. So there is one, and it makes the policy
 * from the table each time, never from the policy.
 */
export class CutOff extends Construct {
  readonly writer: ServiceFunction;
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly environment: Pick<RevocationEnvVariables, 'CUT_OFFS_TABLE' | 'CUT_OFF_QUEUE_URL'>;
  readonly #table: Table;

  constructor(parent: Construct, id: string, props: CutOffProps) {
    super(parent, id);
    this.#table = props.table;
    const timeout = Duration.seconds(30);
    const queue = { retentionPeriod: Duration.days(14), encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
    this.deadLetterQueue = new Queue(this, 'DeadLetters', queue);
    this.queue = new Queue(this, 'Queue', {
      ...queue,
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      // Deliveries are used up by waiting for the one run there may be, not only by failing.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 20 },
    });
    this.environment = { CUT_OFFS_TABLE: props.table.tableName, CUT_OFF_QUEUE_URL: this.queue.queueUrl };

    const environment: CutOffEnvVariables = { CUT_OFFS_TABLE: props.table.tableName, REVOKED_POLICY_ARN: revokedPolicyArn(props.scope) };
    this.writer = new ServiceFunction(this, 'Function', {
      entry: 'revocation/cut-off/write-revoked.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout,
      reservedConcurrency: 1,
      statements: [
        new PolicyStatement({ sid: 'ReadCutOffs', actions: ['dynamodb:Query', 'dynamodb:UpdateItem'], resources: [props.table.tableArn] }),
        new PolicyStatement({
          sid: 'WriteRevoked',
          actions: ['iam:CreatePolicyVersion', 'iam:DeletePolicyVersion', 'iam:GetPolicyVersion', 'iam:ListPolicyVersions'],
          resources: [revokedPolicyArn(props.scope)],
        }),
        new PolicyStatement({
          sid: 'ConsumeQueue',
          actions: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
          resources: [this.queue.queueArn],
        }),
      ],
    });
    // Whatever has come within a second is one run, and one version of the policy: many tenants at once would be more writes than IAM takes.
    this.writer.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 1000,
        maxBatchingWindow: Duration.seconds(1),
        maxConcurrency: 2, // the least there can be
        reportBatchItemFailures: true,
      }),
    );
    // A message that was lost costs a minute; entries that are over leave the policy; and what an update of the stack or a person has changed is set right.
    runEvery(this, 'EveryMinute', {
      function: this.writer,
      every: Duration.minutes(1),
      description: 'Writes which sessions are cut off',
      sid: 'RunCutOff',
      retryAttempts: 0,
    });
    this.#alarm(props.alarmAction);
  }

  /** For a function that asks for cut-offs: it may put an entry, read what became of it, and call the writer. It can neither change nor remove one. */
  requestStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({ sid: 'AskForCutOffs', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], resources: [this.#table.tableArn] }),
      new PolicyStatement({ sid: 'CallCutOffWriter', actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    ];
  }

  #alarm(action: IAlarmAction): void {
    const period = Duration.minutes(5);
    /** The most that a run has said of itself. */
    const said = (member: 'late' | 'waiting'): IMetric =>
      this.writer.logGroup
        .addMetricFilter(member, {
          filterPattern: FilterPattern.numberValue(`$.${member}`, '>', 0),
          metricNamespace: 'Cordon',
          metricName: `CutOffs-${member}`,
          metricValue: `$.${member}`,
        })
        .metric({ statistic: 'Maximum', period });
    const alarm = (id: string, rule: AlarmRule): void => addAlarm(this, id, rule, action);
    alarm('LateAlarm', {
      says: 'Sessions that were to be cut off two minutes ago are not.',
      runbook: 'CutOffs-late',
      metric: said('late'),
    });
    alarm('WaitingAlarm', {
      says: 'More tenants are cut off at once than the policy has room for.',
      runbook: 'CutOffs-waiting',
      metric: said('waiting'),
    });
    alarm('FailureAlarm', {
      says: 'The policy of what is cut off could not be written three times.',
      runbook: 'Cut-off writer',
      metric: this.writer.function.metricErrors({ period }),
      above: 2,
    });
    alarm('DeadLetterAlarm', {
      says: 'The writer of the cut-off failed time and again: mend the cause; its messages say nothing and may be deleted.',
      runbook: 'Cut-off writer',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
    });
    alarm('SilenceAlarm', {
      says: 'The writer of the cut-off has not run for five minutes.',
      runbook: 'Cut-off writer',
      metric: this.writer.function.metricInvocations({ period }),
      below: 1,
    });
  }
}
