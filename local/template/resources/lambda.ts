import { z } from 'zod';
import { permissionProperties } from '../../services/lambda-permissions.ts';
import { type ResourceHandlers, resource, tagList, tagMap, textOf } from '../resource-handler.ts';

/** What `CreateFunction` itself checks is passed on as it stands: it refuses what it does not know. */
const passedOn = z.unknown().optional();

export const lambdaResources: ResourceHandlers = {
  'AWS::Lambda::Function': resource(
    z.strictObject({
      FunctionName: z.string().optional(),
      Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
      Role: z.string(),
      Handler: z.string(),
      Runtime: z.string(),
      Description: passedOn,
      Timeout: passedOn,
      MemorySize: passedOn,
      Environment: passedOn,
      TracingConfig: passedOn,
      LoggingConfig: passedOn,
      Architectures: passedOn,
      PackageType: passedOn,
      TenancyConfig: passedOn,
      ReservedConcurrentExecutions: z.number().optional(),
      Tags: tagList,
    }),
    {},
    async ({ ReservedConcurrentExecutions, Tags, FunctionName: given, ...properties }, { call, physicalName }) => {
      const FunctionName = given ?? physicalName(64);
      const Arn = textOf(await call('lambda', 'CreateFunction', { ...properties, FunctionName, Tags: tagMap(Tags) }), 'FunctionArn');
      if (ReservedConcurrentExecutions !== undefined)
        await call('lambda', 'PutFunctionConcurrency', { FunctionName, ReservedConcurrentExecutions });
      return { physicalId: FunctionName, attributes: { Arn } };
    },
  ),
  'AWS::Lambda::Permission': resource(permissionProperties, {}, async (properties, { call, physicalName }) => {
    const StatementId = physicalName(100);
    await call('lambda', 'AddPermission', { ...properties, StatementId });
    return { physicalId: StatementId, attributes: { Id: StatementId } };
  }),
  'AWS::Lambda::EventSourceMapping': resource(
    z.strictObject({
      FunctionName: z.string(),
      EventSourceArn: z.string(),
      Enabled: passedOn,
      BatchSize: passedOn,
      MaximumBatchingWindowInSeconds: passedOn,
      FunctionResponseTypes: passedOn,
      ScalingConfig: passedOn,
    }),
    {},
    async (properties, { call, accountId, region }) => {
      const id = textOf(await call('lambda', 'CreateEventSourceMapping', properties), 'UUID');
      return {
        physicalId: id,
        attributes: { Id: id, EventSourceMappingArn: `arn:aws:lambda:${region}:${accountId}:event-source-mapping:${id}` },
      };
    },
  ),
};
