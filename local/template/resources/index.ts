/** Every resource type the local cloud loads. A type that is not here refuses the template. */
import type { ResourceHandlers } from '../resource-handler.ts';
import { apiGatewayResources } from './api-gateway.ts';
import { dynamoDbResources } from './dynamodb.ts';
import { eventsResources } from './events.ts';
import { iamResources } from './iam.ts';
import { inertResources } from './inert.ts';
import { kmsResources } from './kms.ts';
import { lambdaResources } from './lambda.ts';
import { logsResources } from './logs.ts';
import { s3Resources } from './s3.ts';
import { schedulerResources } from './scheduler.ts';
import { secretsManagerResources } from './secrets-manager.ts';
import { snsResources } from './sns.ts';
import { sqsResources } from './sqs.ts';

export const handlers: ResourceHandlers = {
  ...apiGatewayResources,
  ...dynamoDbResources,
  ...eventsResources,
  ...iamResources,
  ...inertResources,
  ...kmsResources,
  ...lambdaResources,
  ...logsResources,
  ...s3Resources,
  ...schedulerResources,
  ...secretsManagerResources,
  ...snsResources,
  ...sqsResources,
};
