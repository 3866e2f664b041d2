/** The worker that provisions tenants, in the test's own process. */

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createHoneyKey } from '../../functions/isolation/honey/honey-key.secrets-manager.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import { applyTenantEvent } from '../../functions/tenants/apply-tenant-event.ts';
import { cellOf } from '../../functions/tenants/dedicated-policies.ts';
import { tenantsEnv } from '../../functions/tenants/env.ts';
import type { outboundEvents } from '../../functions/tenants/events.ts';
import { createOpeners } from '../../functions/tenants/open-tenant.aws.ts';
import type { Trade } from './worker-craft.ts';

export const tenantsTrade: Trade = {
  functionName: 'tenants',
  start(variables, { clientConfig, clock, nextId, log, sessions, providers }) {
    const env = tenantsEnv.parse(variables);
    const deps = {
      ...{ clock, nextId, log, random: () => 0.5 },
      announcer: createAnnouncer<typeof outboundEvents>(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      inbox: createInbox(new SQSClient(clientConfig), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
      accountId: cellOf(env.TENANT_KEY_ARN).accountId,
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
      providers: providers(env),
      poolKeyArn: env.TENANT_KEY_ARN,
      honeyKey: createHoneyKey(new SecretsManagerClient(clientConfig), env.HONEY_KEY_SECRET_ARN),
      ...createOpeners({ sessions, clock, nextId, env }),
    };
    return (message, deadline) => applyTenantEvent(deps, message, deadline);
  },
};
