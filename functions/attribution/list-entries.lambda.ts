import { LambdaClient } from '@aws-sdk/client-lambda';
import { createLog } from '../shared/logger.ts';
import { createReportNamed } from '../shared/report-named.ts';
import { evidenceEnv } from './env.ts';
import { createHandler } from './list-entries.handler.ts';
import { createOpenPages } from './open-evidence.aws.ts';

const env = evidenceEnv.parse(process.env);
const clock = (): number => Date.now();
const lambda = new LambdaClient({});

export const handler = createHandler({
  clock,
  log: createLog('evidence'),
  openPages: createOpenPages({ lambda, clock, env }),
  reportNamed: createReportNamed(lambda, env.SESSIONS_FUNCTION_NAME),
});
