import { z } from 'zod';
import { policyDocument, type ResourceHandlers, resource, tagList, tagMap, textOf, unlessGone } from '../resource-handler.ts';

const scalar = z.union([z.number(), z.string(), z.boolean()]).optional();

export const sqsResources: ResourceHandlers = {
  'AWS::SQS::Queue': resource(
    z.strictObject({
      QueueName: z.string().optional(),
      DelaySeconds: scalar,
      MaximumMessageSize: scalar,
      MessageRetentionPeriod: scalar,
      ReceiveMessageWaitTimeSeconds: scalar,
      VisibilityTimeout: scalar,
      SqsManagedSseEnabled: scalar,
      KmsMasterKeyId: scalar,
      KmsDataKeyReusePeriodSeconds: scalar,
      RedrivePolicy: z.looseObject({}).optional(),
      RedriveAllowPolicy: z.looseObject({}).optional(),
      Tags: tagList,
    }),
    {},
    async ({ QueueName: given, Tags, ...attributes }, { call, physicalName, accountId, region }) => {
      const QueueName = given ?? physicalName(80);
      const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
      const Attributes = Object.fromEntries(
        entries.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
      );
      const QueueUrl = textOf(
        await call('sqs', 'CreateQueue', { QueueName, Attributes, ...(Tags === undefined ? {} : { tags: tagMap(Tags) }) }),
        'QueueUrl',
      );
      return { physicalId: QueueUrl, attributes: { Arn: `arn:aws:sqs:${region}:${accountId}:${QueueName}`, QueueName, QueueUrl } };
    },
    {
      remove: (_, { physicalId: QueueUrl }, { call }) => unlessGone(call('sqs', 'DeleteQueue', { QueueUrl }), 'QueueDoesNotExist'),
    },
  ),
  'AWS::SQS::QueuePolicy': resource(
    z.strictObject({ Queues: z.array(z.string()).min(1), PolicyDocument: policyDocument }),
    {},
    async ({ Queues, PolicyDocument }, { call, physicalName }) => {
      for (const QueueUrl of Queues)
        await call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify(PolicyDocument) } });
      return { physicalId: physicalName(80), attributes: {} };
    },
  ),
};
