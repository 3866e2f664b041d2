import type { LocalKernel } from './core/kernel.ts';
import { createAccessAnalyzer } from './services/access-analyzer.ts';
import { type ApiGatewayService, createApiGateway } from './services/apigateway.ts';
import { createBedrock } from './services/bedrock.ts';
import { type CloudFormationService, createCloudFormation } from './services/cloudformation.ts';
import { createCloudTrail } from './services/cloudtrail.ts';
import { createDynamoDb } from './services/dynamodb.ts';
import { createEventBridge } from './services/eventbridge.ts';
import { createIam } from './services/iam.ts';
import { createKms } from './services/kms.ts';
import { createLambda, type LambdaService } from './services/lambda.ts';
import { createLogs } from './services/logs.ts';
import { createS3 } from './services/s3.ts';
import { createScheduler } from './services/scheduler.ts';
import { createSecretsManager } from './services/secrets-manager.ts';
import { createSns } from './services/sns.ts';
import { createSqs, type QueueView } from './services/sqs.ts';
import { createSts } from './services/sts.ts';
import type { WebIdentityIssuer } from './services/sts-web-identity-issuer.ts';
import { createTagging } from './services/tagging.ts';

export interface ServicesOptions {
  /** Asked when it is needed: the server listens only after the services are there. */
  readonly endpoint: () => string;
  /** The folder `cdk synth` wrote, with the functions' bundles. */
  readonly assetRoot: string;
  /** For STS's tokens; without it there are none. */
  readonly webIdentity?: WebIdentityIssuer;
  /** As `LambdaOptions` has it. */
  readonly tenantEnvironments?: number | undefined;
}

/** Registers every service the local cloud has. */
export function registerServices(
  kernel: LocalKernel,
  { endpoint, assetRoot, webIdentity, tenantEnvironments }: ServicesOptions,
): {
  readonly lambda: LambdaService;
  readonly apiGateway: ApiGatewayService;
  readonly cloudFormation: CloudFormationService;
  readonly queues: QueueView;
} {
  const sqs = createSqs(kernel, { endpoint });
  const lambda = createLambda(kernel, { endpoint, assetRoot, queues: sqs.view, onCrash: kernel.onCrash, tenantEnvironments });
  const apiGateway = createApiGateway(kernel);
  const eventBridge = createEventBridge(kernel);
  const cloudFormation = createCloudFormation(kernel);
  const services = [
    createIam(kernel),
    createSts(kernel, { webIdentity }),
    createKms(kernel),
    createSecretsManager(kernel),
    createDynamoDb(kernel),
    createTagging(kernel),
    createLogs(kernel),
    createSns(kernel),
    sqs,
    eventBridge,
    createCloudTrail(kernel, eventBridge.serviceEvents),
    createBedrock(),
    createS3(),
    cloudFormation,
    createAccessAnalyzer(),
    lambda,
    createScheduler(kernel),
    apiGateway,
  ];
  for (const service of services) kernel.register(service);
  return { lambda, apiGateway, cloudFormation, queues: sqs.view };
}
