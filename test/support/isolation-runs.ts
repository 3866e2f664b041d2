/** Runs of the isolation tests in the local cloud, and what an attacker with the account's own rights could have done to be found by them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { z } from 'zod';
import { canaryCredentials, canaryIds } from '../../functions/isolation/canaries.ts';
import { type VerificationResult, verificationResult } from '../../functions/isolation/verify/result.ts';
import type { Outcome } from '../../local/demo/play-events.ts';
import { plantItem } from './broker-calls.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot } from './ground-truth.ts';

/** Asks for a run, as the platform does; answers the event's ID. */
export async function askForRun(test: TestCloud, tenantId: string): Promise<string> {
  const detail = { version: 1, tenantId, requestedBy: 'test' };
  const [eventId = ''] = await test.putEvents({ detailType: 'IsolationVerificationRequested', detail });
  return eventId;
}

const stored = z.object({ Item: z.record(z.string(), z.object({ S: z.string().optional() }).loose()).optional() });

/** The run as it lies in the table. */
async function runItem(test: TestCloud, tenantId: string, id: string) {
  const Key = { pk: { S: `TENANT#${tenantId}#` }, sk: { S: `RUN#${id}` } };
  const TableName = test.cloud.outputs['IsolationTable'];
  return stored.parse(await asRoot(test.cloud, 'dynamodb', 'GetItem', { TableName, Key, ConsistentRead: true })).Item;
}

export const endOf = (test: TestCloud, id: string): Promise<Outcome> =>
  test.outcome(['IsolationVerified', 'IsolationVerificationFailed'], id, 50_000);

/** What a run has found. Rejects when it was not run to its end. */
export async function resultOf(test: TestCloud, tenantId: string, id: string): Promise<VerificationResult> {
  const ended = await endOf(test, id);
  const text = (await runItem(test, tenantId, id))?.['result']?.S;
  if (text === undefined) throw new Error(`The run has no result: ${JSON.stringify(ended)}`);
  return verificationResult.parse(JSON.parse(text));
}

/** Resolves when the run has asked for its rotation. */
export async function rotationBegun(test: TestCloud, tenantId: string, id: string, timeoutMs = 40_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while ((await runItem(test, tenantId, id))?.['rotation'] === undefined) {
    if (performance.now() > deadline) throw new Error('The run has asked for no rotation.');
    await sleep(20);
  }
}

/** IDs of the checks with this outcome. */
export const checksThat = (
  { checks }: Pick<VerificationResult, 'checks'>,
  outcome: 'passed' | 'failed' | 'not-verified',
): readonly string[] => checks.flatMap((check) => (check.outcome === outcome ? [check.id] : []));

/** Takes every wall off the role that tenants' sessions are of, and grants it everything; off the key that tenants share; and opens another role's door. */
export async function takeWallsDown(test: TestCloud): Promise<void> {
  const { cloud } = test;
  const RoleName = 'TenantReader';
  const policy = (name: string): string => `arn:aws:iam::${cloud.accountId}:policy/cordon/${name}`;
  const everything = ['secretsmanager:*', 'dynamodb:*', 'kms:*', 'sts:AssumeRole', 'sts:TagSession'];
  await asRoot(cloud, 'iam', 'DetachRolePolicy', { RoleName, PolicyArn: policy('TenantIsolation') });
  await asRoot(cloud, 'iam', 'DeleteRolePermissionsBoundary', { RoleName });
  await asRoot(cloud, 'iam', 'PutRolePolicy', {
    ...{ RoleName, PolicyName: 'Planted' },
    PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: everything, Resource: '*' }] }),
  });
  const account = { AWS: `arn:aws:iam::${cloud.accountId}:root` };
  await asRoot(cloud, 'kms', 'PutKeyPolicy', {
    ...{ KeyId: cloud.outputs['TenantKeyArn'], PolicyName: 'default' },
    Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' }] }),
  });
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${cloud.accountId}:root` },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  };
  await asRoot(cloud, 'iam', 'UpdateAssumeRolePolicy', {
    ...{ RoleName: 'TenantAuditor', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }) },
  });
}

/** Puts a key of canary A's project into canary B's secret. */
export async function shareProject(test: TestCloud): Promise<void> {
  const { organization } = test.cloud.openai;
  const own = [...organization.keys.values()].find(({ name }) => name.startsWith(canaryIds.a));
  if (own === undefined) throw new Error('Canary A has no key.');
  const account = organization.createServiceAccount(own.projectId, 'shared');
  const { secret } = organization.createKey(account, { name: 'shared', origin: 'account' });
  const { tenants } = await test.cloud.functionCredentials();
  if (tenants === undefined) throw new Error('There is no function tenants.');
  const { Credentials } = await test.clients(tenants).sts.send(
    new AssumeRoleCommand({
      ...{ RoleArn: test.cloud.outputs['TenantWriterRoleArn'], RoleSessionName: canaryIds.b },
      Tags: [{ Key: 'TenantId', Value: canaryIds.b }],
    }),
  );
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = Credentials ?? {};
  const { VersionId: secretVersionId = '' } = await test.clients({ accessKeyId, secretAccessKey, sessionToken }).secretsmanager.send(
    new PutSecretValueCommand({
      SecretId: `cordon/${canaryIds.b}/${canaryCredentials.b}`,
      SecretString: JSON.stringify({ apiKey: secret }),
    }),
  );
  await plantItem(test, canaryIds.b, `CREDENTIAL#${canaryCredentials.b}`, { secretVersionId, epoch: 7 });
}

/** Puts a label on a version of canary B's secret: what a rotation of canary A's would do if it took the wrong one. */
export async function labelOthersSecret({ cloud }: TestCloud): Promise<void> {
  const SecretId = `cordon/${canaryIds.b}/${canaryCredentials.b}`;
  const { VersionIdsToStages } = z
    .object({ VersionIdsToStages: z.record(z.string(), z.array(z.string())) })
    .parse(await asRoot(cloud, 'secretsmanager', 'DescribeSecret', { SecretId }));
  const [MoveToVersionId] = Object.keys(VersionIdsToStages);
  await asRoot(cloud, 'secretsmanager', 'UpdateSecretVersionStage', { SecretId, VersionStage: 'PLANTED', MoveToVersionId });
}
