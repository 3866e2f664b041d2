import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createTokenVerifier } from '../../sessions/token-verifier.jose.ts';
import { createIds } from '../../shared/clock.ts';
import { createLog } from '../../shared/logger.ts';
import { createPublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { createReportNamed } from '../../shared/report-named.ts';
import { createVerificationReader } from '../verify/verification-store.dynamodb.ts';
import { resultsEnv } from './env.ts';
import { createOpenTenant } from './open-tenant.aws.ts';
import { createHandler } from './serve-results.handler.ts';

const env = resultsEnv.parse(process.env);
const clock = (): number => Date.now();
const lambda = new LambdaClient({});

export const handler = createHandler({
  log: createLog('isolation-results'),
  clock,
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock }),
  openTenant: createOpenTenant({ lambda, clock, nextId: createIds(clock), env }),
  reportNamed: createReportNamed(lambda, env.SESSIONS_FUNCTION_NAME),
  daily: createVerificationReader({ client: new DynamoDBClient({}), table: env.ISOLATION_TABLE }),
  publish: createPublishAsPlatform(new EventBridgeClient({}), env.EVENT_BUS_NAME),
});
