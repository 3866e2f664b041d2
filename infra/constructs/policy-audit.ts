import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, type IManagedPolicy, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AuditEnvVariables } from '../../functions/isolation/audit/env.ts';
import { inboundDetailTypes } from '../../functions/isolation/audit/events.ts';
import { type Reference, referenceName } from '../../functions/isolation/audit/reference.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { ownStackArn } from '../own-stack-arn.ts';
import { EventIntake } from './event-intake.ts';
import { putEventsStatement } from './put-events.ts';
import { runEvery } from './scheduled-runs.ts';
import { ServiceFunction } from './service-function.ts';
import { rolePath, type TenantStatementScope } from './tenant-statements.ts';

export interface PolicyAuditProps {
  readonly scope: TenantStatementScope;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly tenantKeyArn: string;
  /** Where the alarms are told. */
  readonly alarmTopic: ITopic;
  /** What the deployed policies are compared with. @default - nothing: the synthesis that this is made from has none yet */
  readonly reference?: Reference;
}

/** Reading what policies say. None of it is about what they protect. */
const readings = {
  ofAccount: [
    'iam:GetAccountAuthorizationDetails',
    'iam:ListRoles',
    'iam:SimulateCustomPolicy',
    'kms:ListAliases',
    'logs:DescribeResourcePolicies',
  ],
  ofKeys: ['kms:GetKeyPolicy', 'kms:ListGrants', 'kms:ListResourceTags'],
  ofResources: [
    'events:DescribeEventBus',
    'lambda:GetFunctionConfiguration',
    'lambda:GetPolicy',
    's3:GetBucketPolicy',
    's3:GetBucketPublicAccessBlock',
    'sqs:GetQueueAttributes',
  ],
  ofTopic: ['sns:GetTopicAttributes'],
  checks: ['access-analyzer:CheckNoNewAccess', 'access-analyzer:CheckNoPublicAccess'],
} as const;

/**
 * Compares, daily and when it is asked to, every policy that is deployed with what was synthesized, and tells each difference. It reads policies of the whole account, and
 * nothing else: its boundary is its own, because that of the other functions keeps them from IAM altogether.
 */
export class PolicyAudit extends Construct {
  readonly intake: EventIntake;
  readonly auditor: ServiceFunction;

  constructor(parent: Construct, id: string, props: PolicyAuditProps) {
    super(parent, id);
    const { scope, bus } = props;
    // A cell with thousands of dedicated tenants has as many keys to look at.
    const timeout = Duration.minutes(10);
    this.intake = new EventIntake(this, 'Queue', {
      bus,
      functionTimeout: timeout,
      alarmAction: props.alarmAction,
      patterns: { PolicyAuditEvents: { source: [platformSource], detailType: [...inboundDetailTypes] } },
    });
    const environment: AuditEnvVariables = {
      STACK_NAME: bus.stack.stackName,
      TENANT_KEY_ARN: props.tenantKeyArn,
      REGISTRY_TABLE_ARN: scope.registryTableArn,
      ATTRIBUTION_TABLE_ARN: scope.attributionTableArn,
      EVENT_BUS_NAME: bus.eventBusName,
      ...this.intake.environment,
    };
    this.auditor = new ServiceFunction(this, 'Function', {
      entry: 'isolation/audit/audit-policies.lambda.ts',
      values: { [referenceName]: props.reference ?? {} },
      environment: { ...environment },
      boundary: this.#boundary(scope, bus),
      timeout,
      memorySize: 1024,
      statements: [
        ...this.intake.consumerStatements(),
        ...this.#readStatements(props),
        putEventsStatement(bus, {
          sid: 'TellFindings',
          source: cordonSource,
          detailTypes: ['EventHandlingFailed', 'IsolationViolationDetected', 'PoliciesAudited', 'PolicyAuditFailed'],
        }),
      ],
    });
    // One request is one run: a batch of them would be as many at once.
    this.intake.deliverTo(this.auditor.function, { batchSize: 1, maxConcurrency: 2 });
    runEvery(this, 'Daily', {
      function: this.auditor,
      every: Duration.days(1),
      description: 'Compares the deployed policies with the synthesized ones',
      sid: 'RunAudit',
      retryAttempts: 2,
    });
  }

  #readStatements({ scope, bus, alarmTopic }: PolicyAuditProps): PolicyStatement[] {
    const here = (service: string, name: string): string => `arn:${scope.partition}:${service}:${scope.region}:${scope.account}:${name}`;
    const everything = ['*'];
    return [
      // Listings and judgements know no resource. What they say of others' identities is how they could reach Cordon's.
      new PolicyStatement({ sid: 'ReadIdentities', actions: [...readings.ofAccount, ...readings.checks], resources: everything }),
      // A dedicated tenant's key is made later, and a resource of the stack that was made anew has another name: the policies of all in this account.
      new PolicyStatement({ sid: 'ReadKeyPolicies', actions: [...readings.ofKeys], resources: [here('kms', 'key/*')] }),
      new PolicyStatement({ sid: 'ReadResourcePolicies', actions: [...readings.ofResources], resources: everything }),
      new PolicyStatement({ sid: 'ReadTablePolicies', actions: ['dynamodb:GetResourcePolicy'], resources: [here('dynamodb', 'table/*')] }),
      // The platform's own secrets. A tenant's are not read, and their policies open nothing that the key does not: docs/audit.md.
      new PolicyStatement({
        sid: 'ReadSecretPolicies',
        actions: ['secretsmanager:GetResourcePolicy'],
        resources: [here('secretsmanager', 'secret:*')],
      }),
      new PolicyStatement({ sid: 'ReadTopicPolicy', actions: [...readings.ofTopic], resources: [alarmTopic.topicArn] }),
      new PolicyStatement({ sid: 'ReadStack', actions: ['cloudformation:ListStackResources'], resources: [ownStackArn(bus.stack)] }),
    ];
  }

  #boundary(scope: TenantStatementScope, bus: EventBus): IManagedPolicy {
    const tenantSecrets = `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:cordon/*`;
    const ceiling = [
      ...Object.values(readings).flat(),
      'cloudformation:ListStackResources',
      'dynamodb:GetResourcePolicy',
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetResourcePolicy',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ];
    return new ManagedPolicy(this, 'AuditBoundary', {
      managedPolicyName: 'AuditBoundary',
      path: rolePath,
      document: new PolicyDocument({
        minimize: false,
        statements: [
          new PolicyStatement({ sid: 'Ceiling', actions: ceiling, resources: ['*'] }), // reason: a boundary is a ceiling; resources are named by the function's own policy
          // Also against a resource that lets it in: no value of a secret, no item, no use of a key, no session, no change of anything.
          new PolicyStatement({ sid: 'DenyEverythingElse', effect: Effect.DENY, notActions: ceiling, resources: ['*'] }),
          new PolicyStatement({ sid: 'DenyTenantSecrets', effect: Effect.DENY, actions: ['secretsmanager:*'], resources: [tenantSecrets] }),
          new PolicyStatement({
            sid: 'DenyOtherBuses',
            effect: Effect.DENY,
            actions: ['events:PutEvents'],
            notResources: [bus.eventBusArn],
          }),
        ],
      }),
    });
  }
}
