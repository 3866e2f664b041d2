import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ownStackArn } from '../own-stack-arn.ts';
import { roleArn, rolePath, type TenantStatementScope } from './tenant-statements.ts';

export interface OperatorAccessProps {
  readonly scope: TenantStatementScope;
  readonly bus: EventBus;
  /** The source an operator's events carry; no other is allowed. */
  readonly source: string;
  readonly queues: readonly IQueue[];
  readonly logGroups: readonly ILogGroup[];
}

/** What the people who run Cordon may do: find the stack, publish events, see and redrive what failed, read the registry, audit one tenant at a time. No secret. Attach it to the role they sign in with. */
export class OperatorAccess extends Construct {
  readonly policy: ManagedPolicy;

  constructor(parent: Construct, id: string, props: OperatorAccessProps) {
    super(parent, id);
    const auditor = roleArn(props.scope, 'TenantAuditor');
    this.policy = new ManagedPolicy(this, 'OperatorAccess', {
      managedPolicyName: 'OperatorAccess',
      path: rolePath,
      document: new PolicyDocument({
        minimize: false,
        statements: [
          new PolicyStatement({
            sid: 'PublishPlatformEvents',
            actions: ['events:PutEvents'],
            resources: [props.bus.eventBusArn],
            conditions: { StringEquals: { 'events:source': props.source } },
          }),
          new PolicyStatement({
            sid: 'ReadAndRedriveQueues',
            actions: [
              'sqs:CancelMessageMoveTask',
              'sqs:ChangeMessageVisibility',
              'sqs:DeleteMessage',
              'sqs:GetQueueAttributes',
              'sqs:GetQueueUrl',
              'sqs:ListMessageMoveTasks',
              'sqs:ReceiveMessage',
              'sqs:SendMessage',
              'sqs:StartMessageMoveTask',
            ],
            resources: props.queues.map((queue) => queue.queueArn),
          }),
          new PolicyStatement({
            sid: 'ReadLogs',
            actions: ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents'],
            resources: props.logGroups.map((group) => group.logGroupArn),
          }),
          // Items of the registry hold no secret; the table's own key is read in full, because a list of tenants has no leading key.
          new PolicyStatement({
            sid: 'ReadRegistry',
            actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'],
            resources: [props.scope.registryTableArn],
          }),
          // What the isolation tests have found, of every tenant that asked: names and outcomes.
          new PolicyStatement({
            sid: 'ReadIsolationRuns',
            actions: ['dynamodb:GetItem', 'dynamodb:Query'],
            resources: [props.scope.isolationTableArn, `${props.scope.isolationTableArn}/index/byStart`],
          }),
          // Where everything is: the outputs of this very stack, by whichever ID it has been given.
          new PolicyStatement({ sid: 'ReadOutputs', actions: ['cloudformation:DescribeStacks'], resources: [ownStackArn(this)] }),
          new PolicyStatement({ sid: 'AuditOneTenant', actions: ['sts:AssumeRole', 'sts:TagSession'], resources: [auditor] }),
          new PolicyStatement({ sid: 'DenySecretsAndKeys', effect: Effect.DENY, actions: ['kms:*', 'secretsmanager:*'], resources: ['*'] }),
          new PolicyStatement({ sid: 'DenyOtherRoles', effect: Effect.DENY, actions: ['sts:AssumeRole'], notResources: [auditor] }),
          new PolicyStatement({ sid: 'DenyIdentityChanges', effect: Effect.DENY, actions: ['iam:*'], resources: ['*'] }),
        ],
      }),
    });
  }
}
