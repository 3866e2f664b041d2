import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createTokenVerifier } from '../sessions/token-verifier.jose.ts';
import { createIds } from '../shared/clock.ts';
import { createLog } from '../shared/logger.ts';
import { createPublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import { createReportNamed } from '../shared/report-named.ts';
import { revocationsEnv } from './env.ts';
import { createOpenTenant } from './open-tenant.aws.ts';
import { createHandler } from './serve-revocations.handler.ts';

const env = revocationsEnv.parse(process.env);
const clock = (): number => Date.now();
const lambda = new LambdaClient({});

export const handler = createHandler({
  log: createLog('revocations'),
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock }),
  openTenant: createOpenTenant({ lambda, clock, nextId: createIds(clock), env }),
  reportNamed: createReportNamed(lambda, env.SESSIONS_FUNCTION_NAME),
  publish: createPublishAsPlatform(new EventBridgeClient({}), env.EVENT_BUS_NAME),
});
