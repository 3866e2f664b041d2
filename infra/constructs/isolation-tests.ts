import { readFileSync } from 'node:fs';
import { Duration, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { VerifyEnvVariables } from '../../functions/isolation/verify/env.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { EventIntake } from './event-intake.ts';
import { letSignCertificates } from './evidence-signing.ts';
import type { ProviderAdmins } from './provider-admins.ts';
import { putEventsStatement } from './put-events.ts';
import { runEvery } from './scheduled-runs.ts';
import { ServiceFunction } from './service-function.ts';
import type { TenantStatementScope } from './tenant-statements.ts';

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
      ...this.intake.environment,
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
        props.sessions.invokeStatement('AskForCanariesSessions'),
        ...admins.readStatementsOf(scope.region, [this.identitySecretArn], 'CanariesIdentity'),
        new PolicyStatement({
          sid: 'KeepRuns',
          actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
          resources: [table.tableArn, `${table.tableArn}/index/byStart`],
        }),
        putEventsStatement(bus, {
          sid: 'TellResults',
          source: cordonSource,
          detailTypes: ['EventHandlingFailed', 'IsolationVerificationFailed', 'IsolationVerified', 'IsolationViolationDetected'],
        }),
        // The canary's own rotation, and the daily run.
        putEventsStatement(bus, {
          sid: 'AskForRotationsAndRuns',
          source: platformSource,
          detailTypes: ['IsolationVerificationRequested', 'RotationRequested'],
        }),
      ],
    });
    letSignCertificates(props.evidenceKey, this.verifier.role, { sign: 'SignIsolationResults', read: 'ReadPublicKeyForResults' });
    // A run takes a minute or two, and one at a time has the place: a batch of them would take longer than the function may.
    this.intake.deliverTo(this.verifier.function, { batchSize: 1, maxConcurrency: 2 });
    runEvery(this, 'Daily', {
      function: this.verifier,
      every: Duration.days(1),
      description: 'Runs the isolation tests',
      sid: 'RunTests',
      input: ScheduleTargetInput.fromObject({ run: 'daily' }),
    });
  }
}

function versionOfCordon(): string {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof version === 'string' ? version : 'unknown';
}
