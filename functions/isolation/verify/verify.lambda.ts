import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createCertificateSigner } from '../../revocation/certificate/certificate-signer.kms.ts';
import { createAnnouncer } from '../../shared/announcer.eventbridge.ts';
import { createSignedSender } from '../../shared/aws-signed.ts';
import { createInbox } from '../../shared/inbox.sqs.ts';
import { createLog } from '../../shared/logger.ts';
import { createPublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { createQueueHandler } from '../../shared/queue-consumer.handler.ts';
import { sessionFromToken } from '../../shared/session-from-token.ts';
import { type ApplyDeps, applyVerificationMessage } from './apply-verification-message.ts';
import { createBrokerClient } from './broker-client.fetch.ts';
import { verifyEnv } from './env.ts';
import { createIdentities } from './identity.fetch.ts';
import { createReadIdentity } from './identity-secret.secrets-manager.ts';
import { createTryCall } from './tenant-calls.signed.ts';
import { createVerificationStore } from './verification-store.dynamodb.ts';
import { createHandler } from './verify.handler.ts';

const env = verifyEnv.parse(process.env);
const clock = (): number => Date.now();
const lambda = new LambdaClient({});
const events = new EventBridgeClient({});
const send = createSignedSender({ region: env.AWS_REGION, endpoint: env.AWS_ENDPOINT_URL });

const deps: ApplyDeps = {
  clock,
  random: Math.random,
  pause: (ms) => delay(ms),
  log: createLog('isolation'),
  announcer: createAnnouncer(events, env.EVENT_BUS_NAME),
  publish: createPublishAsPlatform(events, env.EVENT_BUS_NAME),
  inbox: createInbox(new SQSClient({}), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  store: createVerificationStore({ client: new DynamoDBClient({}), table: env.ISOLATION_TABLE }),
  signer: createCertificateSigner(new KMSClient({}), env.EVIDENCE_KEY_ARN),
  identities: createIdentities({
    read: createReadIdentity(new SecretsManagerClient({}), env.IDENTITY_SECRET_ARN),
    brokerUrl: env.BROKER_URL,
  }),
  openBroker: (brokerUrl) => createBrokerClient(brokerUrl),
  async openSession(token) {
    const { tenantId, credentials } = await sessionFromToken(lambda, env.SESSIONS_FUNCTION_NAME, token.reveal());
    return { tenantId, tryCall: createTryCall(send, credentials) };
  },
  places: {
    ...{ partition: env.PLATFORM_PARTITION, region: env.AWS_REGION, accountId: env.PLATFORM_ACCOUNT_ID },
    ...{ registryTable: env.REGISTRY_TABLE, attributionTable: env.ATTRIBUTION_TABLE, tenantKeyArn: env.TENANT_KEY_ARN },
  },
  deployment: { stack: env.STACK_NAME, region: env.AWS_REGION, version: env.CORDON_VERSION },
};

export const handler = createHandler({
  consume: createQueueHandler(clock, (message, deadline) => applyVerificationMessage(deps, message, deadline)),
  publish: createPublishAsPlatform(events, env.EVENT_BUS_NAME),
});
