import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createAnnouncer } from '../../shared/announcer.eventbridge.ts';
import { createInbox } from '../../shared/inbox.sqs.ts';
import { createLog } from '../../shared/logger.ts';
import { createQueueHandler } from '../../shared/queue-consumer.handler.ts';
import { watchEnv } from './env.ts';
import { type WatchDeps, watchAccess } from './watch-access.ts';

const env = watchEnv.parse(process.env);
const clock = (): number => Date.now();
const sqs = new SQSClient({});

const deps: WatchDeps = {
  clock,
  random: Math.random,
  log: createLog('watch'),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  inbox: createInbox(sqs, { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
};

export const handler = createQueueHandler(clock, (message, deadline) => watchAccess(deps, message, deadline));
