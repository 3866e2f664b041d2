import { z } from 'zod';
import { type ResourceHandlers, resource, tagList, unlessGone } from '../resource-handler.ts';

const index = z.strictObject({ IndexName: z.string(), KeySchema: z.array(z.unknown()), Projection: z.looseObject({}) });

export const dynamoDbResources: ResourceHandlers = {
  'AWS::DynamoDB::Table': resource(
    z.strictObject({
      TableName: z.string().optional(),
      AttributeDefinitions: z.array(z.unknown()),
      KeySchema: z.array(z.unknown()),
      BillingMode: z.literal('PAY_PER_REQUEST'),
      GlobalSecondaryIndexes: z.array(index).optional(),
      LocalSecondaryIndexes: z.array(index).optional(),
      TimeToLiveSpecification: z.strictObject({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
      Tags: tagList,
    }),
    {
      PointInTimeRecoverySpecification: 'the local tables live in memory: there is no backup to restore',
      DeletionProtectionEnabled: 'the local cloud is thrown away as a whole',
    },
    async ({ TimeToLiveSpecification, ...properties }, { accountId, region, call, physicalName, made }) => {
      const TableName = properties.TableName ?? physicalName(255);
      const table = Object.entries({ ...properties, TableName }).filter(([, value]) => value !== undefined);
      await call('dynamodb', 'CreateTable', Object.fromEntries(table));
      const created = { physicalId: TableName, attributes: { Arn: `arn:aws:dynamodb:${region}:${accountId}:table/${TableName}` } };
      made(created);
      if (TimeToLiveSpecification !== undefined) await call('dynamodb', 'UpdateTimeToLive', { TableName, TimeToLiveSpecification });
      return created;
    },
    {
      remove: (_, { physicalId: TableName }, { call }) =>
        unlessGone(call('dynamodb', 'DeleteTable', { TableName }), 'ResourceNotFoundException'),
    },
  ),
};
