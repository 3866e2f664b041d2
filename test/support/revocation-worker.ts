/** The revocation worker and the writer of the cut-off policy, in the test's own process. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createHoneyKey } from '../../functions/isolation/honey/honey-key.secrets-manager.ts';
import { applyRevocationMessage } from '../../functions/revocation/apply-revocation-message.ts';
import { createCertificateSigner } from '../../functions/revocation/certificate/certificate-signer.kms.ts';
import { createCutOffEntries } from '../../functions/revocation/cut-off/cut-off-entries.dynamodb.ts';
import { cutOffEnv } from '../../functions/revocation/cut-off/env.ts';
import { createRevokedPolicyStore } from '../../functions/revocation/cut-off/revoked-policy-store.iam.ts';
import { writeRevoked } from '../../functions/revocation/cut-off/write-revoked.ts';
import { createCutOffs } from '../../functions/revocation/cut-offs.dynamodb.ts';
import { revocationEnv } from '../../functions/revocation/env.ts';
import type { outboundEvents } from '../../functions/revocation/events.ts';
import { createRevocationOpeners } from '../../functions/revocation/open-revocation.aws.ts';
import type { Wishes } from '../../functions/revocation/wishes.ts';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import { createPublishAsPlatform } from '../../functions/shared/publish-as-platform.eventbridge.ts';
import type { Trade } from './worker-craft.ts';

export const revocationTrade: Trade = {
  functionName: 'revocation',
  start(variables, { clientConfig, clock, nextId, log, sessions, pause, providers, tryCustomerKey }) {
    const env = revocationEnv.parse(variables);
    const [events, sqs] = [new EventBridgeClient(clientConfig), new SQSClient(clientConfig)];
    const deps = {
      ...{ clock, nextId, log, pause, random: () => 0.5 },
      announcer: createAnnouncer<typeof outboundEvents>(events, env.EVENT_BUS_NAME),
      publish: createPublishAsPlatform<Wishes>(events, env.EVENT_BUS_NAME),
      inbox: createInbox(sqs, { queue: env.QUEUE_URL, deadLetterQueue: env.DEAD_LETTER_QUEUE_URL }),
      cutOffs: createCutOffs({
        ...{ client: new DynamoDBClient(clientConfig), table: env.CUT_OFFS_TABLE },
        ...{ sqs, queueUrl: env.CUT_OFF_QUEUE_URL, clock, log },
      }),
      signer: createCertificateSigner(new KMSClient(clientConfig), env.EVIDENCE_KEY_ARN),
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
      platformAccountId: env.PLATFORM_ACCOUNT_ID,
      honeyKey: createHoneyKey(new SecretsManagerClient(clientConfig), env.HONEY_KEY_SECRET_ARN),
      providers: providers(env),
      tryCustomerKey: tryCustomerKey(env),
      ...createRevocationOpeners({ sessions, clock, nextId, env }),
    };
    return (message, deadline) => applyRevocationMessage(deps, message, deadline);
  },
};

/** Whatever its message says, it writes the policy anew. */
export const cutOffTrade: Trade = {
  functionName: 'cutOff',
  start(variables, { clientConfig, clock, log }) {
    const env = cutOffEnv.parse(variables);
    const entries = createCutOffEntries({ client: new DynamoDBClient(clientConfig), table: env.CUT_OFFS_TABLE });
    const policy = createRevokedPolicyStore({ client: new IAMClient(clientConfig), policyArn: env.REVOKED_POLICY_ARN });
    return () => writeRevoked({ clock, log, entries, policy });
  },
};
