import { Effect, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { dueIndexArn, roleArn, rolePath, type TenantStatementScope } from './tenant-statements.ts';

/** The most a function's own role can ever do: no tenant's secret, item or key, and no change to identities. Tenant data is reached in a tenant session or not at all. */
export class FunctionBoundary extends Construct {
  readonly policy: ManagedPolicy;

  constructor(parent: Construct, id: string, scope: TenantStatementScope) {
    super(parent, id);
    const secrets = `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:`;
    this.policy = new ManagedPolicy(this, 'FunctionBoundary', {
      managedPolicyName: 'FunctionBoundary',
      path: rolePath,
      document: new PolicyDocument({
        minimize: false,
        statements: [
          new PolicyStatement({
            sid: 'Ceiling',
            actions: [
              'dynamodb:Query',
              'events:PutEvents',
              'kms:Decrypt',
              'kms:Sign',
              'lambda:InvokeFunction',
              'logs:CreateLogStream',
              'logs:PutLogEvents',
              's3:PutObject',
              'secretsmanager:GetSecretValue',
              'sqs:ChangeMessageVisibility',
              'sqs:DeleteMessage',
              'sqs:GetQueueAttributes',
              'sqs:GetQueueUrl',
              'sqs:ReceiveMessage',
              'sqs:SendMessage',
              'xray:PutTelemetryRecords',
              'xray:PutTraceSegments',
            ],
            resources: ['*'], // reason: a boundary is a ceiling; resources are named by each function's own policy
          }),
          new PolicyStatement({ sid: 'MintSessions', actions: ['sts:AssumeRole', 'sts:TagSession'], resources: [roleArn(scope, '*')] }), // reason: each role's trust policy names the one function it admits
          new PolicyStatement({
            sid: 'DenyTenantSecrets',
            effect: Effect.DENY,
            actions: ['secretsmanager:*'],
            resources: [`${secrets}cordon/*`],
          }),
          // The index of what is due holds keys only.
          new PolicyStatement({
            sid: 'DenyTenantItems',
            effect: Effect.DENY,
            actions: ['dynamodb:*'],
            notResources: [dueIndexArn(scope)],
          }),
          new PolicyStatement({
            sid: 'DenyTenantKeyUse',
            effect: Effect.DENY,
            actions: ['kms:*'],
            resources: ['*'],
            conditions: { StringLike: { 'kms:EncryptionContext:SecretARN': `${secrets}cordon/*` } },
          }),
          new PolicyStatement({
            sid: 'DenyTenantKeyUseByName',
            effect: Effect.DENY,
            actions: ['kms:*'],
            resources: ['*'],
            conditions: { Null: { 'kms:EncryptionContext:TenantId': 'false' } },
          }),
          new PolicyStatement({ sid: 'DenyIdentityChanges', effect: Effect.DENY, actions: ['iam:*'], resources: ['*'] }),
        ],
      }),
    });
  }
}
