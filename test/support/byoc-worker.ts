/** The worker that tends connections to customers' accounts, in the test's own process. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { applyConnectionMessage } from '../../functions/byoc/apply-connection-message.ts';
import { byocEnv } from '../../functions/byoc/env.ts';
import type { outboundEvents } from '../../functions/byoc/events.ts';
import { newExternalId } from '../../functions/byoc/external-id.ts';
import { createOpenStores } from '../../functions/byoc/open-connections.aws.ts';
import { customerTemplate } from '../../functions/byoc/probe/customer-template.ts';
import { createEvidenceSigner } from '../../functions/byoc/probe/evidence-signer.kms.ts';
import { createProbeDeps } from '../../functions/byoc/probe/probe-aws.ts';
import { probeRole } from '../../functions/byoc/probe/probe-role.ts';
import { signEvidence } from '../../functions/byoc/probe/sign-evidence.ts';
import { createPublishTemplate } from '../../functions/byoc/publish-template.s3.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { aws } from '../../functions/shared/aws-errors.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import type { Trade } from './worker-craft.ts';

const templateText = readFileSync(new URL('../../functions/byoc/customer-role.template.yaml', import.meta.url), 'utf8');

export const byocTrade: Trade = {
  functionName: 'byoc',
  start(variables, { clientConfig, clock, nextId, log, sessions }) {
    const env = byocEnv.parse(variables);
    const signer = createEvidenceSigner(new KMSClient(clientConfig));
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
    const deps = {
      ...{ clock, nextId, log, randomBytes, random: () => 0.5 },
      announcer: createAnnouncer<typeof outboundEvents>(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      inbox: createInbox(new SQSClient(clientConfig), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
      platformAccountId: env.PLATFORM_ACCOUNT_ID,
      openStores: createOpenStores({ sessions, clock, nextId, env }),
      probe: (input: Parameters<typeof probeRole>[1]) => probeRole(probeDeps, input),
      sign: (document: unknown) => aws('signing evidence', () => signEvidence(signer, env.EVIDENCE_KEY_ARN, document)),
      publishTemplate: createPublishTemplate(new S3Client(clientConfig), env.TEMPLATE_BUCKET, customerTemplate(templateText)),
    };
    return (message, deadline) => applyConnectionMessage(deps, message, deadline);
  },
};
