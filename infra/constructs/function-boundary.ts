import { Effect, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { dueIndexArn, revokedPolicyArn, roleArn, rolePath, type TenantStatementScope } from './tenant-statements.ts';

const writingRevoked = ['iam:CreatePolicyVersion', 'iam:DeletePolicyVersion', 'iam:GetPolicyVersion', 'iam:ListPolicyVersions'];

/**
 * The most a function's own role can ever do: no tenant's secret, item or key, and no change to identities but the versions of the one policy that cuts sessions off.
 * Tenant data is reached in a tenant session or not at all.
 */
export class FunctionBoundary extends Construct {
  readonly policy: ManagedPolicy;

  /** @param ownTableArns tables that hold nothing of a tenant but who it is, and when something happened to it */
  constructor(parent: Construct, id: string, scope: TenantStatementScope, ownTableArns: readonly string[]) {
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
              'dynamodb:GetItem',
              'dynamodb:PutItem',
              'dynamodb:Query',
              'dynamodb:UpdateItem',
              'events:PutEvents',
              'kms:Decrypt',
              'kms:GetPublicKey',
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
          new PolicyStatement({ sid: 'WriteRevoked', actions: writingRevoked, resources: [revokedPolicyArn(scope)] }),
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
            notResources: [dueIndexArn(scope), ...ownTableArns],
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
          new PolicyStatement({
            sid: 'DenyIdentityChanges',
            effect: Effect.DENY,
            actions: ['iam:*'],
            notResources: [revokedPolicyArn(scope)],
          }),
          // Its versions and nothing else of it: which of them is in force is chosen by making a new one, and it is neither deleted nor tagged.
          new PolicyStatement({
            sid: 'DenyOtherChangesOfRevoked',
            effect: Effect.DENY,
            notActions: writingRevoked,
            resources: [revokedPolicyArn(scope)],
          }),
        ],
      }),
    });
  }
}
