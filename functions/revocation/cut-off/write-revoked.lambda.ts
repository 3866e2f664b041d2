import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { createLog } from '../../shared/logger.ts';
import { createCutOffEntries } from './cut-off-entries.dynamodb.ts';
import { cutOffEnv } from './env.ts';
import { createRevokedPolicyStore } from './revoked-policy-store.iam.ts';
import { writeRevoked } from './write-revoked.ts';

const env = cutOffEnv.parse(process.env);
const log = createLog('cut-off');
const entries = createCutOffEntries({ client: new DynamoDBClient({}), table: env.CUT_OFFS_TABLE });
const policy = createRevokedPolicyStore({ client: new IAMClient({}), policyArn: env.REVOKED_POLICY_ARN });

/** Invoked by the clock and by messages that say only that there is something to do: any number of them are one run, and all come again when it fails. */
export const handler = (): Promise<void> => writeRevoked({ clock: () => Date.now(), log, entries, policy });
