import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createAnnouncer } from '../../shared/announcer.eventbridge.ts';
import { createInbox } from '../../shared/inbox.sqs.ts';
import { createLog } from '../../shared/logger.ts';
import { createQueueHandler } from '../../shared/queue-consumer.handler.ts';
import { type ApplyDeps, applyThrottledMessage } from './apply-throttled-message.ts';
import { limitsEnv } from './env.ts';
import { createTellings } from './tellings.dynamodb.ts';
import { createThrottlings } from './throttlings.dynamodb.ts';

const env = limitsEnv.parse(process.env);
const clock = (): number => Date.now();
const store = { client: new DynamoDBClient({}), table: env.THROTTLINGS_TABLE };

const deps: ApplyDeps = {
  clock,
  random: Math.random,
  log: createLog('limits'),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  inbox: createInbox(new SQSClient({}), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  throttlings: createThrottlings(store),
  tellings: createTellings({ ...store, clock }),
};

export const handler = createQueueHandler(clock, (message, deadline) => applyThrottledMessage(deps, message, deadline));
