import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { createCheckDatabase } from '../credentials/check-database.pg.ts';
import { createAdminKeyReader } from '../providers/admin-key.secrets-manager.ts';
import { createProviders } from '../providers/create-providers.ts';
import { configuredProviders } from '../providers/providers-config.ts';
import { createValidateKey } from '../providers/validate-key.ts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { createIds } from '../shared/clock.ts';
import { createInbox } from '../shared/inbox.sqs.ts';
import { createLog } from '../shared/logger.ts';
import { createQueueHandler } from '../shared/queue-consumer.handler.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { type ApplyDeps, applyRotationMessage } from './apply-rotation-message.ts';
import { rotationEnv } from './env.ts';
import { createRotationOpeners } from './open-rotation.aws.ts';
import { createTryCustomerKey } from './try-customer-key.ts';

const env = rotationEnv.parse(process.env);
const clock = (): number => Date.now();
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 500 });
// The Lambda runtime always sets its API's address: where it is set, the function is deployed and providers are where they are.
const inDevelopment = env.ALLOW_LOOPBACK_EGRESS === 'true' && process.env['AWS_LAMBDA_RUNTIME_API'] === undefined;

const deps: ApplyDeps = {
  clock,
  nextId,
  random: Math.random,
  pause: (ms) => delay(ms),
  log: createLog('rotation'),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  inbox: createInbox(new SQSClient({}), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  poolKeyArn: env.TENANT_KEY_ARN,
  providers: createProviders(configuredProviders(env, process.env), {
    clock,
    readAdminKey: createAdminKeyReader(new SecretsManagerClient({})),
  }),
  tryCustomerKey: createTryCustomerKey({
    validateKey: createValidateKey({ baseUrls: inDevelopment ? env.PROVIDER_BASE_URLS : {}, allowLoopback: inDevelopment }),
    checkDatabase: createCheckDatabase({ allowLoopback: inDevelopment }),
    allowLoopback: inDevelopment,
  }),
  ...createRotationOpeners({ sessions, clock, nextId, env }),
};

export const handler = createQueueHandler(clock, (message, deadline) => applyRotationMessage(deps, message, deadline));
