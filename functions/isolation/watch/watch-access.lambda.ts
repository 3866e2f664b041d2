import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createCutOffs } from '../../revocation/cut-offs.dynamodb.ts';
import { createAnnouncer } from '../../shared/announcer.eventbridge.ts';
import { createInbox } from '../../shared/inbox.sqs.ts';
import { createLog } from '../../shared/logger.ts';
import { createPublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { createQueueHandler } from '../../shared/queue-consumer.handler.ts';
import { createHoneyKey } from '../honey/honey-key.secrets-manager.ts';
import { watchEnv } from './env.ts';
import { type WatchDeps, watchAccess } from './watch-access.ts';

const env = watchEnv.parse(process.env);
const clock = (): number => Date.now();
const events = new EventBridgeClient({});
const sqs = new SQSClient({});
const log = createLog('watch');

const deps: WatchDeps = {
  clock,
  random: Math.random,
  log,
  announcer: createAnnouncer(events, env.EVENT_BUS_NAME),
  publish: createPublishAsPlatform(events, env.EVENT_BUS_NAME),
  inbox: createInbox(sqs, { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  honeyKey: createHoneyKey(new SecretsManagerClient({}), env.HONEY_KEY_SECRET_ARN),
  cutOffs: createCutOffs({ client: new DynamoDBClient({}), table: env.CUT_OFFS_TABLE, sqs, queueUrl: env.CUT_OFF_QUEUE_URL, clock, log }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
};

export const handler = createQueueHandler(clock, (message, deadline) => watchAccess(deps, message, deadline));
