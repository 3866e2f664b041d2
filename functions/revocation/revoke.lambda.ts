import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { createCheckDatabase } from '../credentials/check-database.pg.ts';
import { createHoneyKey } from '../isolation/honey/honey-key.secrets-manager.ts';
import { createAdminKeyReader } from '../providers/admin-key.secrets-manager.ts';
import { createProviders } from '../providers/create-providers.ts';
import { configuredProviders } from '../providers/providers-config.ts';
import { createValidateKey } from '../providers/validate-key.ts';
import { createTryCustomerKey } from '../rotation/try-customer-key.ts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { createIds } from '../shared/clock.ts';
import { createInbox } from '../shared/inbox.sqs.ts';
import { createLog } from '../shared/logger.ts';
import { createPublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import { createQueueHandler } from '../shared/queue-consumer.handler.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { type ApplyDeps, applyRevocationMessage } from './apply-revocation-message.ts';
import { createCertificateSigner } from './certificate/certificate-signer.kms.ts';
import { createCutOffs } from './cut-offs.dynamodb.ts';
import { revocationEnv } from './env.ts';
import { createRevocationOpeners } from './open-revocation.aws.ts';

const env = revocationEnv.parse(process.env);
const clock = (): number => Date.now();
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 500 });
const log = createLog('revocation');
const events = new EventBridgeClient({});
const secrets = new SecretsManagerClient({});
const sqs = new SQSClient({});
// The Lambda runtime always sets its API's address: where it is set, the function is deployed and providers are where they are.
const inDevelopment = env.ALLOW_LOOPBACK_EGRESS === 'true' && process.env['AWS_LAMBDA_RUNTIME_API'] === undefined;

const deps: ApplyDeps = {
  clock,
  nextId,
  random: Math.random,
  pause: (ms) => delay(ms),
  log,
  announcer: createAnnouncer(events, env.EVENT_BUS_NAME),
  publish: createPublishAsPlatform(events, env.EVENT_BUS_NAME),
  inbox: createInbox(sqs, { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  cutOffs: createCutOffs({ client: new DynamoDBClient({}), table: env.CUT_OFFS_TABLE, sqs, queueUrl: env.CUT_OFF_QUEUE_URL, clock, log }),
  honeyKey: createHoneyKey(secrets, env.HONEY_KEY_SECRET_ARN),
  signer: createCertificateSigner(new KMSClient({}), env.EVIDENCE_KEY_ARN),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  providers: createProviders(configuredProviders(env, process.env), {
    clock,
    readAdminKey: createAdminKeyReader(secrets),
  }),
  tryCustomerKey: createTryCustomerKey({
    validateKey: createValidateKey({ baseUrls: inDevelopment ? env.PROVIDER_BASE_URLS : {}, allowLoopback: inDevelopment }),
    checkDatabase: createCheckDatabase({ allowLoopback: inDevelopment }),
    allowLoopback: inDevelopment,
  }),
  ...createRevocationOpeners({ sessions, clock, nextId, env }),
};

export const handler = createQueueHandler(clock, (message, deadline) => applyRevocationMessage(deps, message, deadline));
