import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { createTokenVerifier } from '../sessions/token-verifier.jose.ts';
import { createIds } from '../shared/clock.ts';
import { createLog } from '../shared/logger.ts';
import { createPublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import { createReportNamed } from '../shared/report-named.ts';
import { connectionsEnv } from './env.ts';
import { createLastUsed } from './last-used.ts';
import { createOpenTenant } from './open-tenant.aws.ts';
import style from './page/page.css';
import html from './page/page.html';
import { createLinksOf } from './role-links.ts';
import { createHandler } from './serve-connections.handler.ts';

/** `page/page.ts` as one script for browsers: the bundler puts it here. */
declare const pageScript: string;

const env = connectionsEnv.parse(process.env);
const clock = (): number => Date.now();
const lambda = new LambdaClient({});

export const handler = createHandler({
  log: createLog('connections'),
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock }),
  openTenant: createOpenTenant({ lambda, clock, nextId: createIds(clock), env }),
  reportNamed: createReportNamed(lambda, env.SESSIONS_FUNCTION_NAME),
  publish: createPublishAsPlatform(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  lastUsed: createLastUsed(clock),
  linksOf: createLinksOf({
    // Set by the Lambda runtime.
    region: process.env['AWS_REGION'] ?? '',
    bucket: env.TEMPLATE_BUCKET,
    platformAccountId: env.PLATFORM_ACCOUNT_ID,
    connectorRoleArn: env.BYOC_CONNECTOR_ROLE_ARN,
  }),
  page: { html, style, script: pageScript },
});
