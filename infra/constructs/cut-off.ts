import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { FilterPattern } from 'aws-cdk-lib/aws-logs';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { CutOffEnvVariables } from '../../functions/revocation/cut-off/env.ts';
import type { RevocationEnvVariables } from '../../functions/revocation/env.ts';
import { runbook } from './runbook.ts';
import { ServiceFunction } from './service-function.ts';
import { revokedPolicyArn, type TenantStatementScope } from './tenant-statements.ts';

/**
 * Which STS sessions are to be refused, and since when. Not in the registry: the writer of the policy reads it with its own standing role, of all tenants at once, and
 * no standing role reads a tenant's items. Here is nothing but who and when, and only for as long as a session lasts.
 */
export class CutOffsTable extends Construct {
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
    this.#runEveryMinute(props.scope.account);
    this.#alarm(props.alarmAction);
  }

  /** For a function that asks for cut-offs: it may put an entry, read what became of it, and call the writer. It can neither change nor remove one. */
  requestStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({ sid: 'AskForCutOffs', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], resources: [this.#table.tableArn] }),
      new PolicyStatement({ sid: 'CallCutOffWriter', actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    ];
  }

  /** A message that was lost costs a minute; entries that are over leave the policy; and what an update of the stack or a person has changed is set right. */
  #runEveryMinute(account: string): void {
    const invoke = new PolicyStatement({
      sid: 'RunCutOff',
      actions: ['lambda:InvokeFunction'],
      resources: [this.writer.function.functionArn],
    });
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': account } } }),
      inlinePolicies: { Schedule: new PolicyDocument({ minimize: false, statements: [invoke] }) },
    });
    new Schedule(this, 'EveryMinute', {
      description: 'Writes which sessions are cut off',
      schedule: ScheduleExpression.rate(Duration.minutes(1)),
      target: new LambdaInvoke(this.writer.function, { role: role.withoutPolicyUpdates(), retryAttempts: 0 }),
    });
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
    const alarm = (id: string, alarmDescription: string, metric: IMetric, threshold = 0): Alarm => {
      const made = new Alarm(this, id, {
        alarmDescription,
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      made.addAlarmAction(action);
      return made;
    };
    alarm('LateAlarm', `Sessions that were to be cut off two minutes ago are not. ${runbook('CutOffs-late')}`, said('late'));
    alarm('WaitingAlarm', `More tenants are cut off at once than the policy has room for. ${runbook('CutOffs-waiting')}`, said('waiting'));
    alarm(
      'FailureAlarm',
      `The policy of what is cut off could not be written three times. ${runbook('Cut-off writer')}`,
      this.writer.function.metricErrors({ period }),
      2,
    );
    alarm(
      'DeadLetterAlarm',
      `The writer of the cut-off failed time and again: mend the cause; its messages say nothing and may be deleted. ${runbook('Cut-off writer')}`,
      this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
    );
    new Alarm(this, 'SilenceAlarm', {
      alarmDescription: `The writer of the cut-off has not run for five minutes. ${runbook('Cut-off writer')}`,
      metric: this.writer.function.metricInvocations({ period }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    }).addAlarmAction(action);
  }
}
