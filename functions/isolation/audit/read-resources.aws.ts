import { type DynamoDBClient, GetResourcePolicyCommand as GetTablePolicyCommand } from '@aws-sdk/client-dynamodb';
import { DescribeEventBusCommand, type EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, GetPolicyCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetBucketPolicyCommand, GetPublicAccessBlockCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetResourcePolicyCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetTopicAttributesCommand, type SNSClient } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import type { Looked } from './deployed.ts';
import { type CheckedAs, existence, type Fact } from './fact.ts';
import { lookAt } from './look-at.ts';
import { parsePolicy } from './policy-document.ts';
import { arnOfResource, type DeployedStack, type StackResource } from './resolve-reference.ts';
import { document, listed, nameOf } from './thing.ts';

export interface ResourceClients {
  readonly dynamodb: DynamoDBClient;
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly secrets: SecretsManagerClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
}

/** What is there of one resource, from what CloudFormation calls it by; nothing when it is gone. */
type Look = (clients: ResourceClients, physicalId: string, of: string, arn: string) => Promise<readonly Fact[]>;

const looks: Readonly<Record<string, Look>> = {
  'AWS::SQS::Queue': (clients, QueueUrl, of) => queueFacts(clients, QueueUrl, of),
  'AWS::SNS::Topic': async ({ sns }, TopicArn, of) => {
    const answer = await unlessGone(() => sns.send(new GetTopicAttributesCommand({ TopicArn })), 'NotFoundException');
    return answer === undefined ? [] : [existence(of), ...policyFact(of, answer.Attributes?.['Policy'], 'AWS::SNS::Topic')];
  },
  'AWS::Events::EventBus': async ({ events }, Name, of) => {
    const bus = await unlessGone(() => events.send(new DescribeEventBusCommand({ Name })), 'ResourceNotFoundException');
    return bus === undefined ? [] : [existence(of), ...policyFact(of, bus.Policy, 'RESOURCE_POLICY')];
  },
  'AWS::S3::Bucket': (clients, name, of) => bucketFacts(clients, name, of),
  'AWS::Lambda::Function': async ({ lambda }, FunctionName, of) => {
    const its = await unlessGone(() => lambda.send(new GetFunctionConfigurationCommand({ FunctionName })), 'ResourceNotFoundException');
    if (its === undefined) return [];
    const answer = await unlessGone(() => lambda.send(new GetPolicyCommand({ FunctionName })), 'ResourceNotFoundException');
    const role: Fact = { of, aspect: 'role', value: listed([its.Role ?? ''], 'changed') };
    return [existence(of), role, ...policyFact(of, answer?.Policy, 'AWS::Lambda::Function')];
  },
  'AWS::DynamoDB::Table': async ({ dynamodb }, _, of, ResourceArn) => {
    const get = () => dynamodb.send(new GetTablePolicyCommand({ ResourceArn }));
    const answer = await unlessGone(get, 'PolicyNotFoundException');
    return [existence(of), ...policyFact(of, answer?.Policy, 'AWS::DynamoDB::Table')];
  },
  'AWS::SecretsManager::Secret': async ({ secrets }, SecretId, of) => {
    const answer = await unlessGone(() => secrets.send(new GetResourcePolicyCommand({ SecretId })), 'ResourceNotFoundException');
    return answer === undefined ? [] : [existence(of), ...policyFact(of, answer.ResourcePolicy, 'AWS::SecretsManager::Secret')];
  },
};

/** What CloudFormation calls by its ARN. */
const calledByArn: ReadonlySet<string> = new Set(['AWS::SecretsManager::Secret', 'AWS::SNS::Topic']);
const atATime = 8;

/** Reads the policies of the stack's resources, each by its own service. */
export async function readResources(clients: ResourceClients, stack: DeployedStack): Promise<Looked> {
  const resources = [...stack.resources].filter(([, { type }]) => looks[type] !== undefined);
  const looked = await inParallel(
    resources,
    atATime,
    () => false,
    ([logicalId, resource]) => look(clients, stack, logicalId, resource),
  );
  return { facts: looked.flatMap(({ facts }) => facts), unread: looked.flatMap(({ unread }) => unread) };
}

function look(clients: ResourceClients, stack: DeployedStack, logicalId: string, { type, physicalId }: StackResource): Promise<Looked> {
  const arn = calledByArn.has(type) ? physicalId : arnOfResource({ type, physicalId }, stack.pathOf(logicalId), stack.cell);
  return lookAt(nameOf(type, physicalId), (of) =>
    aws(`reading the policy of the ${of}`, async () => (await looks[type]?.(clients, physicalId, of, arn)) ?? []),
  );
}

async function queueFacts({ sqs }: ResourceClients, QueueUrl: string, of: string): Promise<readonly Fact[]> {
  const answer = await unlessGone(
    () => sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy'] })),
    'QueueDoesNotExist',
    'AWS.SimpleQueueService.NonExistentQueue',
  );
  return answer === undefined ? [] : [existence(of), ...policyFact(of, answer.Attributes?.['Policy'], 'AWS::SQS::Queue')];
}

async function bucketFacts({ s3 }: ResourceClients, Bucket: string, of: string): Promise<readonly Fact[]> {
  const block = await unlessGone(
    () => s3.send(new GetPublicAccessBlockCommand({ Bucket })),
    'NoSuchPublicAccessBlockConfiguration',
    'NoSuchBucket',
  );
  const answer = await unlessGone(() => s3.send(new GetBucketPolicyCommand({ Bucket })), 'NoSuchBucketPolicy');
  const blocked = Object.entries(block?.PublicAccessBlockConfiguration ?? {}).flatMap(([name, isOn]) => (isOn ? [name] : []));
  return [
    existence(of),
    { of, aspect: 'public access block', value: listed(blocked, 'removed') },
    ...policyFact(of, answer?.Policy, 'AWS::S3::Bucket'),
  ];
}

function policyFact(of: string, text: string | undefined, checkedAs: CheckedAs): readonly Fact[] {
  return text === undefined || text === '' ? [] : [{ of, aspect: 'policy', value: document(parsePolicy(text), checkedAs) }];
}

/** Some services say with an error that there is none. */
async function unlessGone<Answer>(get: () => Promise<Answer>, ...gone: readonly string[]): Promise<Answer | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isAwsError(error, ...gone)) return undefined;
    throw error;
  }
}
