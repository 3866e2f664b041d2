import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createLog } from '../shared/logger.ts';
import { createDueIndex } from './due-index.dynamodb.ts';
import { createDueQueue } from './due-queue.sqs.ts';
import { sweepEnv } from './env.ts';
import { findDue } from './find-due.ts';
import { allLanes } from './lanes.ts';

const env = sweepEnv.parse(process.env);
const log = createLog('sweep');
const sqs = new SQSClient({});
const queues = Object.fromEntries(Object.entries(env.DUE_QUEUES).map(([kind, url]) => [kind, createDueQueue(sqs, url)]));
const lanes = allLanes(env.PROVIDER_PER_MINUTE);
const index = createDueIndex(new DynamoDBClient({}), env.REGISTRY_TABLE, log);

/** Invoked by the clock; what it is invoked with says nothing. */
export const handler = (): Promise<void> =>
  findDue({ clock: () => Date.now(), log, index, lanes, queues, maxInFlight: env.MAX_IN_FLIGHT, maxPerTenant: env.MAX_PER_TENANT });
