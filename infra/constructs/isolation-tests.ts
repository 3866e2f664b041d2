import { readFileSync } from 'node:fs';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { VerifyEnvVariables } from '../../functions/isolation/verify/env.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { EventIntake } from './event-intake.ts';
import { letSignCertificates } from './evidence-signing.ts';
import type { ProviderAdmins } from './provider-admins.ts';
import { ServiceFunction } from './service-function.ts';
import type { TenantStatementScope } from './tenant-statements.ts';

/**
 * Runs of the isolation tests, each in the partition of the tenant that asked for it. Not in the registry: they are written by a function that has no way to any tenant's
 * items, and hold nothing of a tenant but its name.
 */
export class IsolationTable extends Construct {
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
    this.table.addLocalSecondaryIndex({
      indexName: 'byStart',
      sortKey: { name: 'startedAt', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['verificationId', 'requestedBy', 'finishedAt', 'status', 'counts'],
    });
  }
}

export interface IsolationTestsProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly admins: ProviderAdmins;
  /** The one function that mints tenant sessions for calls. */
  readonly sessions: ServiceFunction;
  readonly table: Table;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly tenantKeyArn: string;
  /** Signs results. */
  readonly evidenceKey: Key;
  /** The API that the tests call as any client does, with its stage. */
  readonly brokerUrl: string;
}

/** Plays the customer's isolation tests with two canaries, daily and on demand. It is an ordinary client of Cordon: what it tries it tries with a canary's token, or in its session. */
export class IsolationTests extends Construct {
  readonly intake: EventIntake;
  readonly verifier: ServiceFunction;
  readonly identitySecretArn: string;

  constructor(parent: Construct, id: string, props: IsolationTestsProps) {
    super(parent, id);
    const { scope, bus, admins, table } = props;
    const timeout = Duration.minutes(5);
    this.intake = new EventIntake(this, 'Queue', {
      bus,
      functionTimeout: timeout,
      alarmAction: props.alarmAction,
      // There is one place for a run, and waiting for it uses deliveries up.
      maxReceiveCount: 100,
      patterns: { VerificationEvents: { source: [platformSource], detailType: ['IsolationVerificationRequested'] } },
    });
    // Without a value, as those of the providers' administrators: an operator puts it there.
    this.identitySecretArn = new CfnSecret(this, 'Identity', {
      description: 'The canaries’ clients at the identity provider: put its value here after deploying, see docs/isolation-tests.md',
      kmsKeyId: admins.key.keyArn,
    }).ref;
    const environment: VerifyEnvVariables = {
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      EVENT_BUS_NAME: bus.eventBusName,
      QUEUE_URL: this.intake.queue.queueUrl,
      DEAD_LETTER_QUEUE_URL: this.intake.deadLetterQueue.queueUrl,
      MAX_RECEIVE_COUNT: String(this.intake.maxReceiveCount),
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      ISOLATION_TABLE: table.tableName,
      IDENTITY_SECRET_ARN: this.identitySecretArn,
      BROKER_URL: props.brokerUrl,
      TENANT_KEY_ARN: props.tenantKeyArn,
      EVIDENCE_KEY_ARN: props.evidenceKey.keyArn,
      PLATFORM_ACCOUNT_ID: scope.account,
      PLATFORM_PARTITION: scope.partition,
      STACK_NAME: Stack.of(this).stackName,
      CORDON_VERSION: versionOfCordon(),
    };
    this.verifier = new ServiceFunction(this, 'Function', {
      entry: 'isolation/verify/verify.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout,
      statements: [
        ...this.intake.consumerStatements(),
        new PolicyStatement({
          sid: 'AskForCanariesSessions',
          actions: ['lambda:InvokeFunction'],
          resources: [props.sessions.function.functionArn],
        }),
        ...admins.readStatementsOf(scope.region, [this.identitySecretArn], 'CanariesIdentity'),
        new PolicyStatement({
          sid: 'KeepRuns',
          actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
          resources: [table.tableArn, `${table.tableArn}/index/byStart`],
        }),
        new PolicyStatement({
          sid: 'TellResults',
          actions: ['events:PutEvents'],
          resources: [bus.eventBusArn],
          conditions: {
            StringEquals: {
              'events:source': cordonSource,
              'events:detail-type': [
                'EventHandlingFailed',
                'IsolationVerificationFailed',
                'IsolationVerified',
                'IsolationViolationDetected',
              ],
            },
          },
        }),
        // The canary's own rotation, and the daily run.
        new PolicyStatement({
          sid: 'AskForRotationsAndRuns',
          actions: ['events:PutEvents'],
          resources: [bus.eventBusArn],
          conditions: {
            StringEquals: {
              'events:source': platformSource,
              'events:detail-type': ['IsolationVerificationRequested', 'RotationRequested'],
            },
          },
        }),
      ],
    });
    letSignCertificates(props.evidenceKey, this.verifier.role, { sign: 'SignIsolationResults', read: 'ReadPublicKeyForResults' });
    // A run takes a minute or two, and one at a time has the place: a batch of them would take longer than the function may.
    this.verifier.function.addEventSource(
      new SqsEventSource(this.intake.queue, { batchSize: 1, maxConcurrency: 2, reportBatchItemFailures: true }),
    );
    this.#runDaily(scope.account);
  }

  #runDaily(account: string): void {
    const { function: verifier } = this.verifier;
    const invoke = new PolicyStatement({ sid: 'RunTests', actions: ['lambda:InvokeFunction'], resources: [verifier.functionArn] });
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': account } } }),
      inlinePolicies: { Schedule: new PolicyDocument({ minimize: false, statements: [invoke] }) },
    });
    new Schedule(this, 'Daily', {
      description: 'Runs the isolation tests',
      schedule: ScheduleExpression.rate(Duration.days(1)),
      target: new LambdaInvoke(verifier, { role: role.withoutPolicyUpdates(), input: ScheduleTargetInput.fromObject({ run: 'daily' }) }),
    });
  }
}

function versionOfCordon(): string {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof version === 'string' ? version : 'unknown';
}
