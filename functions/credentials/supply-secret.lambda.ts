import { randomBytes } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { STSClient } from '@aws-sdk/client-sts';
import { createValidateKey } from '../providers/validate-key.ts';
import { createTokenVerifier } from '../sessions/token-verifier.jose.ts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { createIds } from '../shared/clock.ts';
import { createLog } from '../shared/logger.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { createCheckDatabase } from './check-database.pg.ts';
import { doorEnv } from './env.ts';
import { createDoorOpeners } from './open-door.aws.ts';
import { createHandler } from './supply-secret.handler.ts';

const env = doorEnv.parse(process.env);
const clock = (): number => Date.now();
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 50 });
// The Lambda runtime always sets its API's address: where it is set, the function is deployed and providers are where they are.
const inDevelopment = env.ALLOW_LOOPBACK_EGRESS === 'true' && process.env['AWS_LAMBDA_RUNTIME_API'] === undefined;

export const handler = createHandler({
  clock,
  nextId,
  randomBytes: () => randomBytes(24),
  log: createLog('door'),
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock }),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  supplierRoles: new Set(env.SUPPLIER_ROLES),
  poolKeyArn: env.TENANT_KEY_ARN,
  validateKey: createValidateKey({ baseUrls: inDevelopment ? env.PROVIDER_BASE_URLS : {}, allowLoopback: inDevelopment }),
  checkDatabase: createCheckDatabase({ allowLoopback: inDevelopment }),
  allowLoopback: inDevelopment,
  ...createDoorOpeners({ sessions, clock, nextId, env }),
});
