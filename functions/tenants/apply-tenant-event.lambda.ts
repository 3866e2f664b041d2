import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { createHoneyKey } from '../isolation/honey/honey-key.secrets-manager.ts';
import { createAdminKeyReader } from '../providers/admin-key.secrets-manager.ts';
import { createProviders } from '../providers/create-providers.ts';
import { configuredProviders } from '../providers/providers-config.ts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { createIds } from '../shared/clock.ts';
import { createInbox } from '../shared/inbox.sqs.ts';
import { createLog } from '../shared/logger.ts';
import { createQueueHandler } from '../shared/queue-consumer.handler.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { type ApplyDeps, applyTenantEvent } from './apply-tenant-event.ts';
import { cellOf } from './dedicated-policies.ts';
import { tenantsEnv } from './env.ts';
import { createOpeners } from './open-tenant.aws.ts';

const env = tenantsEnv.parse(process.env);
const clock = (): number => Date.now();
const secrets = new SecretsManagerClient({});
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 500 });

const deps: ApplyDeps = {
  clock,
  nextId,
  random: Math.random,
  log: createLog('tenants'),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  inbox: createInbox(new SQSClient({}), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  accountId: cellOf(env.TENANT_KEY_ARN).accountId,
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  honeyKey: createHoneyKey(secrets, env.HONEY_KEY_SECRET_ARN),
  providers: createProviders(configuredProviders(env, process.env), {
    clock,
    readAdminKey: createAdminKeyReader(secrets),
  }),
  poolKeyArn: env.TENANT_KEY_ARN,
  ...createOpeners({ sessions, clock, nextId, env }),
};

export const handler = createQueueHandler(clock, (message, deadline) => applyTenantEvent(deps, message, deadline));
