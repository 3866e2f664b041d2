import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { STSClient } from '@aws-sdk/client-sts';
import type { observedEvents as namedEvents } from '../isolation/honey/events.ts';
import type { observedEvents } from '../isolation/limits/events.ts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { inSession } from '../shared/client-session.ts';
import { createIds } from '../shared/clock.ts';
import type { commonFailures } from '../shared/failure-event.ts';
import { createLog } from '../shared/logger.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import { sessionsEnv } from './env.ts';
import { createHandler } from './mint-session.handler.ts';
import { createTokenVerifier } from './token-verifier.jose.ts';

const env = sessionsEnv.parse(process.env);
const clock = (): number => Date.now();
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 2000 });
const registries = createSessionClients({
  sessions,
  clock,
  capacity: 500,
  make: (credentials) =>
    createRegistry({ client: inSession(new DynamoDBClient({ credentials }), credentials), table: env.REGISTRY_TABLE, clock, nextId }),
});

export const handler = createHandler({
  log: createLog('sessions'),
  clock,
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock }),
  sessions,
  announcer: createAnnouncer<typeof commonFailures & typeof observedEvents & typeof namedEvents>(
    new EventBridgeClient({}),
    env.EVENT_BUS_NAME,
  ),
  openRegistry: (tenantId) => registries({ roleArn: env.TENANT_READER_ROLE_ARN, tenantId, role: 'shared' }),
  readerRoleArn: env.TENANT_READER_ROLE_ARN,
  dedicatedRoleArnPrefix: env.DEDICATED_ROLE_ARN_PREFIX,
});
