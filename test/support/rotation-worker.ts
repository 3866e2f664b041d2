/** The rotation worker, in the test's own process. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { applyRotationMessage } from '../../functions/rotation/apply-rotation-message.ts';
import { rotationEnv } from '../../functions/rotation/env.ts';
import type { outboundEvents } from '../../functions/rotation/events.ts';
import { createRotationOpeners } from '../../functions/rotation/open-rotation.aws.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import type { Trade } from './worker-craft.ts';

export const rotationTrade: Trade = {
  functionName: 'rotation',
  start(variables, { clientConfig, clock, nextId, log, sessions, pause, providers, tryCustomerKey }) {
    const env = rotationEnv.parse(variables);
    const deps = {
      ...{ clock, nextId, log, pause, random: () => 0.5 },
      announcer: createAnnouncer<typeof outboundEvents>(new EventBridgeClient(clientConfig), env.EVENT_BUS_NAME),
      inbox: createInbox(new SQSClient(clientConfig), { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
      platformAccountId: env.PLATFORM_ACCOUNT_ID,
      poolKeyArn: env.TENANT_KEY_ARN,
      providers: providers(env),
      tryCustomerKey: tryCustomerKey(env),
      ...createRotationOpeners({ sessions, clock, nextId, env }),
    };
    return (message, deadline) => applyRotationMessage(deps, message, deadline);
  },
};
