/** The sweep, in the test's own process. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createDueIndex } from '../../functions/sweep/due-index.dynamodb.ts';
import { createDueQueue } from '../../functions/sweep/due-queue.sqs.ts';
import { sweepEnv } from '../../functions/sweep/env.ts';
import { findDue } from '../../functions/sweep/find-due.ts';
import { allLanes } from '../../functions/sweep/lanes.ts';
import type { Trade } from './worker-craft.ts';

/** @param shards of the index: whoever knows in which nothing can be due leaves them out */
export const sweepTradeOf = (shards: (shard: string) => boolean = () => true): Trade => ({
  functionName: 'sweep',
  start(variables, { clientConfig, clock, log }) {
    const env = sweepEnv.parse(variables);
    const sqs = new SQSClient(clientConfig);
    const queues = Object.fromEntries(Object.entries(env.DUE_QUEUES).map(([kind, url]) => [kind, createDueQueue(sqs, url)]));
    const index = createDueIndex(new DynamoDBClient(clientConfig), env.REGISTRY_TABLE, log);
    const lanes = allLanes(env.PROVIDER_PER_MINUTE)
      .map((lane) => ({ ...lane, shards: lane.shards.filter(shards) }))
      .filter((lane) => lane.shards.length > 0);
    const limits = { maxInFlight: env.MAX_IN_FLIGHT, maxPerTenant: env.MAX_PER_TENANT };
    return () => findDue({ clock, log, index, lanes, queues, ...limits });
  },
});
