/** Rotations as they are seen from outside: asked for by events, found by the sweep, and what came of them at the provider, in the vault and on record. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { AttributedUse } from '../../functions/attribution/read-attribution.ts';
import { toItem } from '../../functions/shared/attribute-values.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import type { Simulator } from '../../local/world/simulator.ts';
import { usesBy } from './attribution-log.ts';
import type { TestCloud } from './cloud.ts';
import type { Letter } from './dead-letters.ts';
import { asRoot, itemsOf } from './ground-truth.ts';
import { pause } from './settle.ts';
import { registryItem } from './supply.ts';

export interface Which {
  readonly tenantId: string;
  readonly credentialId: string;
}
/** A credential at a provider. `subject`: the user at the local issuer whose own it is. */
export interface Kept extends Which {
  readonly provider: string;
  readonly subject?: string | undefined;
}

export const minuteMs = 60_000;
export const dayMs = 1440 * minuteMs;

/** An active platform-issued credential of a tenant, as an event asks for it. */
export const issuedAt = (provider: string, over: Readonly<Record<string, unknown>> = {}) => ({
  ...{ credentialId: `${provider}-main`, provider, source: 'platform-issued', environment: 'production' },
  ...(provider === 'azure-openai' && { settings: { resource: 'cordon-anything' } }),
  ...over,
});

/** Onboards with these credentials and a rule for each, and makes the Azure OpenAI resource beforehand. Rejects when the tenant is refused. */
export async function rotatingTenant(
  test: TestCloud,
  credentials: readonly Readonly<Record<string, unknown>>[],
  detail: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const tenantId = typeof detail['tenantId'] === 'string' ? detail['tenantId'] : test.freshTenantId();
  const resource = `cordon-${tenantId}`;
  if (credentials.some(({ provider }) => provider === 'azure-openai')) simulatorOf(test, 'azure-openai').makeAccount(resource);
  const routing = credentials.map(({ provider, environment, credentialId }) => ({ match: { provider, environment }, use: credentialId }));
  const { outcome } = await test.onboard({
    tenantId,
    credentials: credentials.map((one) => (one['provider'] === 'azure-openai' ? { ...one, settings: { resource } } : one)),
    routing,
    ...detail,
  });
  if (outcome.detailType !== 'TenantProvisioned') throw new Error(`The tenant was not provisioned: ${JSON.stringify(outcome)}`);
  return tenantId;
}

/** Asks for a rotation, or for another version, and waits until the worker is through with it as far as the clock lets it. */
export async function requestRotation(test: TestCloud, which: Which, asked: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await putRotation(test, which, asked);
  await pause(test.cloud);
}

/** As `requestRotation`, without waiting for what comes of it. Answers the event's ID. */
export async function putRotation(
  test: TestCloud,
  { tenantId, credentialId }: Which,
  asked: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const detail = { version: 1, tenantId, credentialId, requestedBy: 'ops@example.com', why: 'to see it done', ...asked };
  const [eventId = ''] = await test.putEvents({ detailType: 'RotationRequested', detail });
  return eventId;
}

const rotating = z.looseObject({
  rotationId: z.string(),
  phase: z.string(),
  reason: z.string(),
  setbacks: z.number(),
  pending: z.looseObject({ versionId: z.string(), keyId: z.string().optional() }).optional(),
  proven: z.boolean().optional(),
});
const stored = z.looseObject({
  status: z.string(),
  epoch: z.number(),
  version: z.number(),
  leaseUntil: z.number(),
  attempt: z.number(),
  keyId: z.string().optional(),
  keyAttempt: z.number().optional(),
  secretVersionId: z.string().default(''),
  previous: z.looseObject({ versionId: z.string() }).optional(),
  rotating: rotating.optional(),
  diverted: z.boolean().optional(),
  dueAt: z.number().optional(),
});
export type StoredCredential = z.infer<typeof stored>;

/** The credential as the registry has it. */
export async function stateOf(test: TestCloud, { tenantId, credentialId }: Which): Promise<StoredCredential> {
  return stored.parse(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`));
}

const described = z.object({ VersionIdsToStages: z.record(z.string(), z.array(z.string())) });

/** Labelled versions of the credential's secret: version ID by label. */
export async function labelsOf(test: TestCloud, { tenantId, credentialId }: Which): Promise<Readonly<Record<string, string>>> {
  const answer = await asRoot(test.cloud, 'secretsmanager', 'DescribeSecret', { SecretId: `cordon/${tenantId}/${credentialId}` });
  const { VersionIdsToStages } = described.parse(answer);
  return Object.fromEntries(Object.entries(VersionIdsToStages).flatMap(([version, labels]) => labels.map((label) => [label, version])));
}

const secretText = z.object({ apiKey: z.string() });
const secretAnswer = z.object({ SecretString: z.string() });

/** The fingerprint of the key in a version, the current one when none is named; read as the tenant, or as the user whose own it is. */
export async function fingerprintIn(test: TestCloud, { tenantId, credentialId, subject }: Kept, VersionId?: string): Promise<string> {
  const session = await test.tenantSession(tenantId, subject);
  const caller = test.cloud.kernel.callerOf(session.accessKeyId);
  if (caller === undefined) throw new Error('The session is not known.');
  const input = { SecretId: `cordon/${tenantId}/${credentialId}`, ...(VersionId !== undefined && { VersionId }) };
  const { SecretString } = secretAnswer.parse(await test.cloud.kernel.call(caller, 'secretsmanager', 'GetSecretValue', input));
  return fingerprintOf(secretText.parse(JSON.parse(SecretString)).apiKey);
}

export function simulatorOf({ cloud }: TestCloud, provider: string): Simulator {
  const found = cloud.world.simulators[provider];
  if (found === undefined) throw new Error(`There is no simulated ${provider}.`);
  return found;
}

/** Fingerprints of the keys made for this credential that the provider accepts now. Azure OpenAI: of both slots of the tenant's resource. */
export function liveKeysFor(test: TestCloud, { provider, tenantId, credentialId }: Kept): readonly string[] {
  const prefix = provider === 'azure-openai' ? `cordon-${tenantId}/` : `${tenantId}.${credentialId}.`;
  return simulatorOf(test, provider)
    .liveKeys(prefix)
    .map(({ fingerprint }) => fingerprint);
}

/** Whether the provider accepts the key with this fingerprint now. */
export function isLive(test: TestCloud, provider: string, fingerprint: string): boolean {
  return simulatorOf(test, provider)
    .liveKeys()
    .some((key) => key.fingerprint === fingerprint);
}

export interface Ends {
  readonly isIdle: boolean;
  /** Labels of versions; `in force` is the one that the registry names. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of the keys made for this credential, those that are accepted: `in force`, or `nobody's` when no version of it is in force. */
  readonly live: readonly string[];
  readonly versions: string;
}

/** What is left when a rotation is through, with names instead of IDs: to be compared with `wellRotated`. */
export async function endsOf(test: TestCloud, kept: Kept): Promise<Ends> {
  const state = await stateOf(test, kept);
  const current = await fingerprintIn(test, kept);
  const labels = Object.entries(await labelsOf(test, kept));
  return {
    isIdle: state.rotating === undefined && state.leaseUntil === 0 && state.previous === undefined && state.diverted === undefined,
    labels: Object.fromEntries(labels.map(([label, version]) => [label, version === state.secretVersionId ? 'in force' : 'another'])),
    live: liveKeysFor(test, kept).map((fingerprint) => (fingerprint === current ? 'in force' : "nobody's")),
    versions: state.status,
  };
}

/** One live key, which is the current version and the one that the registry names; of the two slots at Azure OpenAI the other one holds what nobody has. */
export const wellRotated = (provider: string): Ends => ({
  isIdle: true,
  labels: { AWSCURRENT: 'in force' },
  live: provider === 'azure-openai' ? expectAnyOrder : ['in force'],
  versions: 'active',
});
const expectAnyOrder: readonly string[] = ['in force', "nobody's"];

/** What was published about a credential, oldest first. */
export async function newsOf(
  test: TestCloud,
  { tenantId, credentialId }: Which,
  detailType?: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const all = await test.published(tenantId);
  return all
    .filter(({ detailType: type, detail }) => (detailType === undefined || type === detailType) && detail['credentialId'] === credentialId)
    .map(({ detailType: type, detail }) => (detailType === undefined ? { detailType: type, ...detail } : detail));
}

/** Steps of rotations of a credential on record, oldest first. */
export async function stepsOf(test: TestCloud, { tenantId, credentialId }: Which): Promise<readonly AttributedUse[]> {
  return (await usesBy(test, tenantId)).filter(
    ({ intent }) => intent.credentialId === credentialId && intent.operation.startsWith('rotation.'),
  );
}

/** What the rotation worker put aside and holds `term`; it stays where it is. */
export async function rotationLetters({ cloud, operator }: TestCloud, term: string): Promise<readonly Letter[]> {
  const { Messages = [] } = await operator.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: cloud.queues['rotation']?.dlqUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 0,
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages.filter(({ Body = '' }) => Body.includes(term)).map(({ Body = '', MessageAttributes = {} }) => ({
    body: Body,
    reasonCode: MessageAttributes['ReasonCode']?.StringValue,
    reasonMessage: MessageAttributes['ReasonMessage']?.StringValue,
  }));
}

/** Takes whatever is scheduled out of the schedule, so that moving the clock sets nothing of another test going. */
export async function scheduleNothing(test: TestCloud): Promise<void> {
  await pause(test.cloud);
  for (const { pk, sk, dueAt } of await itemsOf(test.cloud, 'RegistryTable')) {
    if (dueAt === undefined) continue;
    await asRoot(test.cloud, 'dynamodb', 'UpdateItem', {
      TableName: test.cloud.outputs['RegistryTable'],
      Key: { pk, sk },
      UpdateExpression: 'REMOVE dueAt, dueShard',
    });
  }
}

/** Sets members of a credential's item as another writer does: its version rises, so that whoever has read it before is late. */
export async function writeCredential(
  test: TestCloud,
  which: Which,
  members: Readonly<Record<string, string | number>>,
): Promise<StoredCredential> {
  const { version } = await stateOf(test, which);
  const all: Record<string, string | number> = { ...members, version: version + 1 };
  const names = Object.keys(all);
  await asRoot(test.cloud, 'dynamodb', 'UpdateItem', {
    TableName: test.cloud.outputs['RegistryTable'],
    Key: { pk: { S: `TENANT#${which.tenantId}#` }, sk: { S: `CREDENTIAL#${which.credentialId}` } },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: toItem(Object.fromEntries(names.map((name) => [`:${name}`, all[name]]))),
  });
  return stateOf(test, which);
}
