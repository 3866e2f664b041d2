import { z } from 'zod';
import { existence, type Fact } from './fact.ts';
import { asPolicy } from './policy-document.ts';
import { decidingTags, document, listed, nameOf, roleFacts } from './thing.ts';

const policy = z.unknown().transform(asPolicy);
const tags = z
  .array(z.object({ Key: z.string(), Value: z.string() }))
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value])));
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const role = z.object({
  AssumeRolePolicyDocument: policy,
  ManagedPolicyArns: z.array(z.string()).default([]),
  /** IAM's default. Source: IAM API Reference, CreateRole. */
  MaxSessionDuration: z.coerce.number().default(3600),
  PermissionsBoundary: z.string().optional(),
  Policies: z.array(z.object({ PolicyName: z.string(), PolicyDocument: policy })).default([]),
  Tags: tags,
});
const managedPolicy = z.object({ PolicyDocument: policy });
const key = z.object({ KeyPolicy: policy, Tags: tags });
const queuePolicy = z.object({ PolicyDocument: policy, Queues: z.array(z.string()) });
const topicPolicy = z.object({ PolicyDocument: policy, Topics: z.array(z.string()) });
const bucket = z.object({ PublicAccessBlockConfiguration: z.record(z.string(), flag).default({}) });
const bucketPolicy = z.object({ PolicyDocument: policy, Bucket: z.string() });
const lambdaFunction = z.object({ Role: z.string() });
const eventBus = z.object({ Policy: policy.optional() });
const table = z.object({ ResourcePolicy: z.object({ PolicyDocument: policy }).optional() });
const logPolicy = z.object({ PolicyDocument: policy, PolicyName: z.string() });

/** The one policy that is written anew at run time: `revokedPolicyName` of the stack. */
const cutOffPolicy = 'policy cordon/Revoked';

type FactsOf = (properties: unknown, physicalId: string) => readonly Fact[];

/** What a resource of the template should be, from its properties with their references resolved. Throws ZodError when they are not understood. */
export const expectedOfType: Readonly<Record<string, FactsOf>> = {
  'AWS::IAM::Role': (properties, name) => {
    const its = role.parse(properties);
    return roleFacts({
      name,
      trust: its.AssumeRolePolicyDocument,
      inline: Object.fromEntries(its.Policies.map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument])),
      attached: its.ManagedPolicyArns,
      boundary: its.PermissionsBoundary,
      tags: its.Tags,
      longestSession: its.MaxSessionDuration,
    });
  },
  'AWS::IAM::ManagedPolicy': (properties, arn) => {
    const of = nameOf('AWS::IAM::ManagedPolicy', arn);
    const its = managedPolicy.parse(properties).PolicyDocument;
    const mayCutOff = of === cutOffPolicy;
    return [existence(of), { of, aspect: 'document', value: { kind: 'document', document: its, checkedAs: 'IDENTITY_POLICY', mayCutOff } }];
  },
  'AWS::KMS::Key': (properties, id) => {
    const its = key.parse(properties);
    const of = nameOf('AWS::KMS::Key', id);
    return [
      existence(of),
      { of, aspect: 'policy', value: document(its.KeyPolicy, 'AWS::KMS::Key') },
      { of, aspect: 'grants', value: listed([], 'added') },
      { of, aspect: 'tags', value: decidingTags(its.Tags) },
    ];
  },
  'AWS::SQS::Queue': (_, url) => [existence(nameOf('AWS::SQS::Queue', url))],
  'AWS::SQS::QueuePolicy': (properties) => {
    const { Queues, PolicyDocument } = queuePolicy.parse(properties);
    return Queues.map((url) => ({
      of: nameOf('AWS::SQS::Queue', url),
      aspect: 'policy',
      value: document(PolicyDocument, 'AWS::SQS::Queue'),
    }));
  },
  // One without a policy of its own has AWS's default one, which nobody has synthesized: it would be a finding.
  'AWS::SNS::Topic': (_, arn) => [existence(nameOf('AWS::SNS::Topic', arn))],
  'AWS::SNS::TopicPolicy': (properties) => {
    const { Topics, PolicyDocument } = topicPolicy.parse(properties);
    return Topics.map((arn) => ({
      of: nameOf('AWS::SNS::Topic', arn),
      aspect: 'policy',
      value: document(PolicyDocument, 'AWS::SNS::Topic'),
    }));
  },
  'AWS::Events::EventBus': (properties, name) => {
    const of = nameOf('AWS::Events::EventBus', name);
    const its = eventBus.parse(properties).Policy;
    return [existence(of), ...(its === undefined ? [] : [{ of, aspect: 'policy', value: document(its, 'RESOURCE_POLICY') }])];
  },
  'AWS::S3::Bucket': (properties, name) => {
    const of = nameOf('AWS::S3::Bucket', name);
    const flags = Object.entries(bucket.parse(properties).PublicAccessBlockConfiguration);
    const blocked = flags.filter(([, isOn]) => isOn).map(([its]) => its);
    return [existence(of), { of, aspect: 'public access block', value: listed(blocked, 'removed') }];
  },
  'AWS::S3::BucketPolicy': (properties) => {
    const { Bucket, PolicyDocument } = bucketPolicy.parse(properties);
    return [{ of: nameOf('AWS::S3::Bucket', Bucket), aspect: 'policy', value: document(PolicyDocument, 'AWS::S3::Bucket') }];
  },
  'AWS::Lambda::Function': (properties, name) => {
    const of = nameOf('AWS::Lambda::Function', name);
    return [existence(of), { of, aspect: 'role', value: listed([lambdaFunction.parse(properties).Role], 'changed') }];
  },
  'AWS::DynamoDB::Table': (properties, name) => {
    const of = nameOf('AWS::DynamoDB::Table', name);
    const its = table.parse(properties).ResourcePolicy?.PolicyDocument;
    return [existence(of), ...(its === undefined ? [] : [{ of, aspect: 'policy', value: document(its, 'AWS::DynamoDB::Table') }])];
  },
  'AWS::SecretsManager::Secret': (_, arn) => [existence(nameOf('AWS::SecretsManager::Secret', arn))],
  'AWS::Logs::ResourcePolicy': (properties) => {
    const { PolicyName, PolicyDocument } = logPolicy.parse(properties);
    const of = nameOf('AWS::Logs::ResourcePolicy', PolicyName);
    return [existence(of), { of, aspect: 'policy', value: document(PolicyDocument, 'RESOURCE_POLICY') }];
  },
};
