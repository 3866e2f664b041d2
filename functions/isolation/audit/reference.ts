import { z } from 'zod';
import { dedicatedEnv } from '../../tenants/dedicated-env.ts';

/**
 * What was synthesized, as far as it decides who may do what: for each resource that carries or is a policy the properties that say so, with the template's own references
 * in them. The stack makes it of its own template and ships it inside the function's bundle; no name of the bundle is in it.
 */
export const reference = z.strictObject({
  /** By logical ID. */
  resources: z.record(z.string(), z.strictObject({ type: z.string(), properties: z.record(z.string(), z.unknown()) })),
  /** What the function that makes dedicated tenants' roles and keys is configured with, by the names of its environment. */
  dedicated: z.record(z.string(), z.unknown()),
});
export type Reference = z.infer<typeof reference>;

/** Which properties of which types are compared. A type with a policy that does not stand here fails the synthesis. */
export const comparedProperties: Readonly<Record<string, readonly string[]>> = {
  'AWS::IAM::Role': [
    'AssumeRolePolicyDocument',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'Path',
    'PermissionsBoundary',
    'Policies',
    'RoleName',
    'Tags',
  ],
  'AWS::IAM::ManagedPolicy': ['ManagedPolicyName', 'Path', 'PolicyDocument'],
  'AWS::KMS::Key': ['KeyPolicy', 'Tags'],
  'AWS::SNS::Topic': [],
  'AWS::SNS::TopicPolicy': ['PolicyDocument', 'Topics'],
  'AWS::SQS::Queue': [],
  'AWS::SQS::QueuePolicy': ['PolicyDocument', 'Queues'],
  'AWS::Events::EventBus': ['Policy'],
  'AWS::S3::Bucket': ['PublicAccessBlockConfiguration'],
  'AWS::S3::BucketPolicy': ['Bucket', 'PolicyDocument'],
  'AWS::Lambda::Function': ['Role'],
  'AWS::Lambda::Permission': ['Action', 'FunctionName', 'Principal', 'SourceAccount', 'SourceArn'],
  'AWS::Logs::ResourcePolicy': ['PolicyDocument', 'PolicyName'],
  'AWS::DynamoDB::Table': ['ResourcePolicy'],
  'AWS::SecretsManager::Secret': [],
};

/** The name under which the bundler puts the reference into the bundle. */
export const referenceName = 'synthesizedPolicies';

/** What the function that makes dedicated tenants' roles and keys is told: names of its environment. */
export const dedicatedSettings: readonly string[] = Object.keys(dedicatedEnv);
