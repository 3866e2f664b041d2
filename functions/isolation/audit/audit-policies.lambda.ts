import { AccessAnalyzerClient } from '@aws-sdk/client-accessanalyzer';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createAnnouncer } from '../../shared/announcer.eventbridge.ts';
import { createIds } from '../../shared/clock.ts';
import type { ConsumeDeps } from '../../shared/consume-message.ts';
import { createInbox } from '../../shared/inbox.sqs.ts';
import { createLog } from '../../shared/logger.ts';
import { createQueueHandler, createQueueOrScheduleHandler } from '../../shared/queue-consumer.handler.ts';
import { cellOf } from '../../tenants/dedicated-policies.ts';
import { applyAuditMessage } from './apply-audit-message.ts';
import { type AuditDeps, auditPolicies } from './audit-policies.ts';
import { createDeployed } from './deployed.aws.ts';
import { auditEnv } from './env.ts';
import { createPolicyChecks } from './policy-checks.aws.ts';
import { reference } from './reference.ts';

/** Put into the bundle by the stack that it describes (`infra/bundle.ts`). */
declare const synthesizedPolicies: unknown;

const env = auditEnv.parse(process.env);
const clock = (): number => Date.now();
/** Listings of a large account and simulations are throttled: an audit has minutes. */
const patient = { maxAttempts: 8, retryMode: 'adaptive' };
const iam = new IAMClient(patient);
const events = new EventBridgeClient({});
const sqs = new SQSClient({});

const deps: AuditDeps & ConsumeDeps = {
  clock,
  nextId: createIds(clock),
  random: Math.random,
  log: createLog('policy-audit'),
  announcer: createAnnouncer(events, env.EVENT_BUS_NAME),
  inbox: createInbox(sqs, { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  reference: reference.parse(synthesizedPolicies),
  cell: cellOf(env.TENANT_KEY_ARN),
  places: {
    cell: cellOf(env.TENANT_KEY_ARN),
    registryTableArn: env.REGISTRY_TABLE_ARN,
    attributionTableArn: env.ATTRIBUTION_TABLE_ARN,
    tenantKeyArn: env.TENANT_KEY_ARN,
  },
  checks: createPolicyChecks({ analyzer: new AccessAnalyzerClient(patient), iam }),
  deployed: createDeployed({
    stackName: env.STACK_NAME,
    iam,
    kms: new KMSClient(patient),
    cloudFormation: new CloudFormationClient(patient),
    logs: new CloudWatchLogsClient(patient),
    resources: {
      dynamodb: new DynamoDBClient({}),
      events,
      lambda: new LambdaClient({}),
      s3: new S3Client({}),
      secrets: new SecretsManagerClient({}),
      sns: new SNSClient({}),
      sqs,
    },
  }),
};

/** Invoked by the clock, and by messages that ask for it. */
export const handler = createQueueOrScheduleHandler(
  createQueueHandler(clock, (message, deadline) => applyAuditMessage(deps, message, deadline)),
  () => auditPolicies(deps),
);
