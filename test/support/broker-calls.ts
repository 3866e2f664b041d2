/** Calls through the broker as plain requests, and what is known of them afterwards: at the provider, in the attribution log, in the journal. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { z } from 'zod';
import type { AttributedUse } from '../../functions/attribution/read-attribution.ts';
import type { ProviderRequest } from '../../local/world/request-record.ts';
import { usesBy } from './attribution-log.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot } from './ground-truth.ts';

export const openAiMain = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
export const toOpenAiMain = { match: { provider: 'openai', environment: 'production' }, use: 'openai-main' };

const stored = z.object({ apiKey: z.string() });
const errorShape = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string(), requestId: z.string().min(1) }) });

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** A chat through the broker. No token: no `Authorization` at all. */
export function chat(test: TestCloud, token: string | undefined, { headers, body, signal }: Ask = {}): Promise<Response> {
  return fetch(`${test.cloud.brokerUrl}/v1/proxy/openai/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }], ...body }),
    redirect: 'manual',
    ...(signal && { signal }),
  });
}

/** Status and code of a refusal. Rejects when the answer has another shape. */
export async function refusalOf(answer: Response): Promise<{ readonly status: number; readonly code: string }> {
  const { code } = errorShape.parse(await answer.json()).error;
  return { status: answer.status, code };
}

/** A tenant with one OpenAI key and a rule that leads to it. */
export async function openAiTenant(test: TestCloud, detail: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { tenantId, outcome } = await test.onboard({ credentials: [openAiMain], routing: [toOpenAiMain], ...detail });
  if (outcome.detailType !== 'TenantProvisioned') throw new Error(`The tenant was not provisioned: ${JSON.stringify(outcome)}`);
  return tenantId;
}

/** Read as the tenant: not even the account's root may. */
export async function keyOf(test: TestCloud, tenantId: string): Promise<string> {
  const { secretsmanager } = test.clients(await test.tenantSession(tenantId));
  const { SecretString = '' } = await secretsmanager.send(new GetSecretValueCommand({ SecretId: `cordon/${tenantId}/openai-main` }));
  return stored.parse(JSON.parse(SecretString)).apiKey;
}

/** Stores another version of the tenant's key, as the function `tenants` would; answers the version's ID. */
export async function storeKey(test: TestCloud, tenantId: string, apiKey: string): Promise<string | undefined> {
  const { tenants } = await test.cloud.functionCredentials();
  if (tenants === undefined) throw new Error('There is no function tenants.');
  const role = { RoleArn: test.cloud.outputs['TenantWriterRoleArn'], RoleSessionName: tenantId };
  const { Credentials } = await test
    .clients(tenants)
    .sts.send(new AssumeRoleCommand({ ...role, Tags: [{ Key: 'TenantId', Value: tenantId }] }));
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = Credentials ?? {};
  const { secretsmanager } = test.clients({ accessKeyId, secretAccessKey, sessionToken });
  const SecretString = JSON.stringify({ apiKey });
  return (await secretsmanager.send(new PutSecretValueCommand({ SecretId: `cordon/${tenantId}/openai-main`, SecretString }))).VersionId;
}

/** What the provider saw of a key. */
export function requestsWith(test: TestCloud, key: string): readonly ProviderRequest[] {
  const fingerprint = createHash('sha256').update(key).digest('hex');
  return test.cloud.openai.requests().filter((request) => request.keyFingerprint === fingerprint);
}

/** How often a secret of the tenant was read since. */
export function secretReads(test: TestCloud, tenantId: string, since: number): number {
  const isRead = (action: string, resource: string): boolean =>
    action === 'secretsmanager:GetSecretValue' && resource.includes(`cordon/${tenantId}/`);
  return test.cloud.journal.since(since).filter(({ action, resource, decision }) => decision === 'allow' && isRead(action, resource))
    .length;
}

/** The tenant's uses of its credential, oldest first, when none is pending any more. Rejects after `timeoutMs`. */
export async function endedUses(test: TestCloud, tenantId: string, count: number, timeoutMs = 10_000): Promise<readonly AttributedUse[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const uses = (await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'provider.call');
    if (uses.length >= count && uses.every(({ outcome }) => outcome.result !== 'pending')) return uses;
    if (performance.now() > deadline) throw new Error(`Not ${count} ended uses: ${JSON.stringify(uses)}`);
    await sleep(30);
  }
}

/** Sets members of a registry item that exists, as a revocation does. */
export async function plantItem(
  test: TestCloud,
  tenantId: string,
  sk: string,
  members: Readonly<Record<string, string | number>>,
): Promise<void> {
  const names = Object.keys(members);
  const attributeOf = (value: string | number): object => (typeof value === 'string' ? { S: value } : { N: String(value) });
  await asRoot(test.cloud, 'dynamodb', 'UpdateItem', {
    TableName: test.cloud.outputs['RegistryTable'],
    Key: { pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(Object.entries(members).map(([name, value]) => [`:${name}`, attributeOf(value)])),
  });
}

/** `AGENT#…` or `SESSION#…` of a tenant is revoked from now on. */
export async function plantTombstone(test: TestCloud, tenantId: string, whose: string): Promise<void> {
  const Item = { pk: { S: `TENANT#${tenantId}#` }, sk: { S: `REVOKED#${whose}` } };
  await asRoot(test.cloud, 'dynamodb', 'PutItem', { TableName: test.cloud.outputs['RegistryTable'], Item });
}
