import { randomBytes } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { createAnnouncer } from '../shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../shared/assume-role.sts.ts';
import { aws } from '../shared/aws-errors.ts';
import { createIds } from '../shared/clock.ts';
import { createInbox } from '../shared/inbox.sqs.ts';
import { createLog } from '../shared/logger.ts';
import { createQueueHandler } from '../shared/queue-consumer.handler.ts';
import { createTenantSessions } from '../shared/tenant-sessions.ts';
import { type ApplyDeps, applyConnectionMessage } from './apply-connection-message.ts';
import templateText from './customer-role.template.yaml';
import { byocEnv } from './env.ts';
import { newExternalId } from './external-id.ts';
import { createOpenStores } from './open-connections.aws.ts';
import { customerTemplate } from './probe/customer-template.ts';
import { createEvidenceSigner } from './probe/evidence-signer.kms.ts';
import { createProbeDeps } from './probe/probe-aws.ts';
import { probeRole } from './probe/probe-role.ts';
import { signEvidence } from './probe/sign-evidence.ts';
import { createPublishTemplate } from './publish-template.s3.ts';

const env = byocEnv.parse(process.env);
const clock = (): number => Date.now();
const nextId = createIds(clock);
const sessions = createTenantSessions({ assume: createAssumeRole(new STSClient({})), clock, capacity: 200 });
const signer = createEvidenceSigner(new KMSClient({}));
const probeDeps = createProbeDeps({
  openWriter: (tenantId, mintedSince) => {
    if (mintedSince !== undefined) sessions.forget(tenantId, mintedSince);
    return sessions({ roleArn: env.TENANT_WRITER_ROLE_ARN, tenantId, role: 'shared' });
  },
  connectorRoleArn: env.BYOC_CONNECTOR_ROLE_ARN,
  probeRoleArn: env.BYOC_PROBE_ROLE_ARN,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  newExternalId: () => newExternalId(randomBytes),
  clock,
});

const deps: ApplyDeps = {
  clock,
  nextId,
  randomBytes,
  random: Math.random,
  log: createLog('byoc'),
  announcer: createAnnouncer(new EventBridgeClient({}), env.EVENT_BUS_NAME),
  inbox: createInbox(new SQSClient({}), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
  maxReceiveCount: env.MAX_RECEIVE_COUNT,
  platformAccountId: env.PLATFORM_ACCOUNT_ID,
  openStores: createOpenStores({ sessions, clock, nextId, env }),
  probe: (input) => probeRole(probeDeps, input),
  sign: (document) => aws('signing evidence', () => signEvidence(signer, env.EVIDENCE_KEY_ARN, document)),
  publishTemplate: createPublishTemplate(new S3Client({}), env.TEMPLATE_BUCKET, customerTemplate(templateText)),
};

export const handler = createQueueHandler(clock, (message, deadline) => applyConnectionMessage(deps, message, deadline));
