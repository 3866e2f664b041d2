import { z } from 'zod';
import { type ResourceHandlers, resource, tagList, tagMap } from '../resource-handler.ts';

export const logsResources: ResourceHandlers = {
  'AWS::Logs::LogGroup': resource(
    z.strictObject({
      LogGroupName: z.string().optional(),
      RetentionInDays: z.number().optional(),
      KmsKeyId: z.string().optional(),
      Tags: tagList,
    }),
    {},
    async ({ LogGroupName, RetentionInDays, KmsKeyId, Tags }, { accountId, region, call, physicalName }) => {
      const logGroupName = LogGroupName ?? physicalName(512);
      await call('logs', 'CreateLogGroup', { logGroupName, tags: tagMap(Tags), ...(KmsKeyId === undefined ? {} : { kmsKeyId: KmsKeyId }) });
      if (RetentionInDays !== undefined) await call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays: RetentionInDays });
      return { physicalId: logGroupName, attributes: { Arn: `arn:aws:logs:${region}:${accountId}:log-group:${logGroupName}:*` } };
    },
  ),
  'AWS::Logs::ResourcePolicy': resource(
    z.strictObject({ PolicyName: z.string(), PolicyDocument: z.string() }),
    {},
    async (properties, { call }) => {
      await call('logs', 'PutResourcePolicy', { policyName: properties.PolicyName, policyDocument: properties.PolicyDocument });
      return { physicalId: properties.PolicyName, attributes: {} };
    },
  ),
};
