/** What a revocation has come to, as facts that are the same from run to run. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { assembleFile } from '../../functions/revocation/certificate/assemble-file.ts';
import { storedCertificate, storedPart } from '../../functions/revocation/certificate/certificate-store.ts';
import { verifyCertificate } from '../../functions/revocation/certificate/verify-certificate.ts';
import { revocation } from '../../functions/revocation/revocation.ts';
import { fromItem } from '../../functions/shared/attribute-values.ts';
import { credentialItem, tenantItem, userItem } from '../../functions/tenants/registry.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot, publishedSince } from './ground-truth.ts';
import type { Subject } from './revocation-courses.ts';
import { secretNames } from './revocations.ts';
import { isLive, liveKeysFor } from './rotations.ts';

export interface Facts {
  readonly tenant: object;
  readonly user?: object | undefined;
  readonly credentials: readonly object[];
  readonly orders: readonly object[];
  readonly certificates: readonly object[];
  /** Detail types published, each once. */
  readonly told: readonly string[];
}

const registryItem = z.looseObject({ sk: z.string() });
const page = z.object({ Items: z.array(z.record(z.string(), z.custom<AttributeValue>())) });

/** Every item of a tenant, of whatever kind, as it is stored. */
export async function itemsOfTenant({ cloud }: TestCloud, tenantId: string): Promise<readonly z.infer<typeof registryItem>[]> {
  const answer = await asRoot(cloud, 'dynamodb', 'Query', {
    TableName: cloud.outputs['RegistryTable'],
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `TENANT#${tenantId}#` } },
    ConsistentRead: true,
  });
  return page.parse(answer).Items.map((item) => registryItem.parse(fromItem(item)));
}

const found = z.object({ Responses: z.record(z.string(), page.shape.Items) });

/** Some of them: those that there are of these sort keys. */
export async function itemsAt(
  { cloud }: TestCloud,
  tenantId: string,
  sortKeys: readonly string[],
): Promise<readonly z.infer<typeof registryItem>[]> {
  if (sortKeys.length === 0) return [];
  const table = cloud.outputs['RegistryTable'] ?? '';
  const Keys = sortKeys.map((sk) => ({ pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } }));
  const answer = await asRoot(cloud, 'dynamodb', 'BatchGetItem', { RequestItems: { [table]: { Keys, ConsistentRead: true } } });
  return (found.parse(answer).Responses[table] ?? []).map((item) => registryItem.parse(fromItem(item)));
}

const isThere = (value: unknown): boolean => value !== undefined;

/** A subject's revocation, from its beginning. */
export interface Course {
  readonly subject: Subject;
  /** The events that were sent, in their order. */
  readonly revocationIds: readonly string[];
  /** Fingerprints of the subject's keys that were accepted when it began. */
  readonly keysBefore: ReadonlySet<string>;
  /** The tenant's. */
  readonly epochBefore: number;
}

/** Fingerprints of the keys that are accepted: made for the credential, or the customer's own. */
export function acceptedKeys(test: TestCloud, { tenantId, credentials }: Subject): readonly string[] {
  return credentials.flatMap(({ key, ...kept }) => {
    if (key === undefined) return liveKeysFor(test, { ...kept, tenantId });
    const fingerprint = fingerprintOf(key);
    return isLive(test, kept.provider, fingerprint) ? [fingerprint] : [];
  });
}

/** @param since of the cloud's clock: when it began */
export async function factsOf(test: TestCloud, { subject, revocationIds, keysBefore, epochBefore }: Course, since: number): Promise<Facts> {
  const { cloud } = test;
  const { tenantId, userId } = subject;
  const items = new Map((await itemsOfTenant(test, tenantId)).map((item) => [item.sk, item]));
  const { status, epoch, leaseUntil, suspendedAt, statusBefore } = tenantItem.parse(items.get('TENANT'));
  const user = userId === undefined ? undefined : userItem.parse(items.get(`USER#${userId}`));
  const names = await secretNames(test, tenantId);
  const credentials = subject.credentials.map((one) => {
    const item = credentialItem.parse(items.get(`CREDENTIAL#${one.credentialId}`));
    const accepted = acceptedKeys(test, { ...subject, credentials: [one] });
    // A resource with two slots always has two keys: what counts is that nobody has been given them.
    const live = one.provider === 'azure-openai' ? accepted.filter((fingerprint) => keysBefore.has(fingerprint)) : accepted;
    const secret = names.includes(`cordon/${tenantId}/${one.credentialId}`);
    return credentialFacts(item, { secret, live: live.length });
  });
  const news = (await publishedSince(cloud, since)).filter(({ detail }) => detail['tenantId'] === tenantId && isAbout(detail, subject));
  return {
    tenant: { status, epoch: epoch - epochBefore, isFree: leaseUntil === 0, suspended: isThere(suspendedAt), statusBefore },
    ...(user && { user: { status: user.status, epoch: user.epoch } }),
    credentials,
    orders: revocationIds.flatMap((id) => {
      const item = items.get(`REVOCATION#${id}`);
      return item === undefined ? [] : [orderFacts(revocation.parse(item))];
    }),
    certificates: revocationIds.flatMap((id) => certificatesOf([...items.values()], id)),
    told: [...new Set(news.map(({ detailType }) => detailType))].sort(),
  };
}

/** About other credentials of the tenant other tests speak. */
function isAbout(detail: Readonly<Record<string, unknown>>, { credentials, userId }: Subject): boolean {
  const { credentialId, userId: of } = detail;
  if (credentialId !== undefined) return credentials.some((one) => one.credentialId === credentialId);
  return of === undefined || of === userId;
}

function credentialFacts(
  item: ReturnType<typeof credentialItem.parse>,
  outside: { readonly secret: boolean; readonly live: number },
): object {
  const { ending, secretVersionId, revokedVersionIds = [], previous, rotating, diverted, leaseUntil, dueAt } = item;
  const { phase, versions = [], straysAt, stagedOutAt, deletedAt, announced, setbacks, problem } = ending ?? {};
  return {
    ...{ status: item.status, epoch: item.epoch, ...outside },
    isIdle: [previous, rotating, diverted].every((value) => value === undefined) && leaseUntil === 0,
    isDue: isThere(dueAt),
    versionRevoked: secretVersionId !== undefined && revokedVersionIds.includes(secretVersionId),
    ...(ending && {
      ending: {
        ...{ phase, announced, setbacks, problem },
        versions: versions.map(({ keyId, revokedAt, confirmedAt, confirmation, proofId, attestedBy }) => ({
          ...{ confirmation, attestedBy, key: isThere(keyId) },
          ...{ revoked: isThere(revokedAt), confirmed: isThere(confirmedAt), proven: isThere(proofId) },
        })),
        ...{ looked: isThere(straysAt), stagedOut: isThere(stagedOutAt), deleted: isThere(deletedAt) },
      },
    }),
  };
}

function orderFacts(item: ReturnType<typeof revocation.parse>): object {
  const { action, scope, status, told, marked, connectionsEnded, replacementAsked, counts, cutOff, certificateId, dueAt, dueShard } = item;
  return {
    ...{ action, scope, status, told, marked, connectionsEnded, replacementAsked, counts },
    cutOff: cutOff && { applied: isThere(cutOff.appliedAt) },
    certified: isThere(certificateId),
    isFree: item.leaseUntil === 0,
    isDue: isThere(dueAt) || isThere(dueShard),
  };
}

/** The latest one of each revocation, and what a check of it says; of the others only that they are sound. */
function certificatesOf(items: readonly Readonly<Record<string, unknown>>[], revocationId: string): readonly object[] {
  const all = items.flatMap((item) => storedCertificate.safeParse(item).data ?? []).filter((one) => one.revocationId === revocationId);
  const order = items.flatMap((item) => revocation.safeParse(item).data ?? []).find((one) => one.revocationId === revocationId);
  const parts = items.flatMap((item) => storedPart.safeParse(item).data ?? []);
  const checks = all.map((stored) => {
    const own = parts.filter(({ certificateId }) => certificateId === stored.certificateId).sort((a, b) => a.number - b.number);
    const file = assembleFile(
      stored,
      own.map(({ text }) => text),
    );
    const { ok, problems, header } = verifyCertificate(JSON.stringify(file), { publicKey: stored.publicKey });
    return { id: stored.certificateId, ok, problems, complete: header?.complete, counts: header?.counts };
  });
  const unsound = checks.filter(({ ok }) => !ok);
  return [...unsound, ...checks.filter(({ id }) => id === order?.certificateId).map(({ id: _, ...check }) => check)];
}

/** What is left of somebody who was revoked, whether or not they had come to be. */
export interface Remains {
  /** Keys that the provider accepts. */
  readonly live: number;
  readonly secrets: readonly string[];
  /** How its credentials stand: those that there are. */
  readonly statuses: readonly string[];
  /** Endings, rotations and holds that are under way still, and whatever is due. */
  readonly underWay: readonly string[];
  /** Revocations that are not done. */
  readonly open: number;
}

export async function remainsOf(test: TestCloud, { subject, revocationIds, keysBefore }: Omit<Course, 'epochBefore'>): Promise<Remains> {
  const { tenantId, credentials } = subject;
  const items = await itemsOfTenant(test, tenantId);
  const names = new Set(credentials.map(({ credentialId }) => `cordon/${tenantId}/${credentialId}`));
  const own = items.flatMap((item) => {
    const parsed = item['kind'] === 'CREDENTIAL' ? credentialItem.parse(item) : undefined;
    return parsed && credentials.some(({ credentialId }) => credentialId === parsed.credentialId) ? [parsed] : [];
  });
  const accepted = credentials.flatMap((one) =>
    acceptedKeys(test, { ...subject, credentials: [one] }).filter((key) => one.provider !== 'azure-openai' || keysBefore.has(key)),
  );
  return {
    live: accepted.length,
    secrets: (await secretNames(test, tenantId)).filter((name) => names.has(name)),
    statuses: own.map(({ status }) => status),
    underWay: own.flatMap(({ ending, rotating, previous, leaseUntil, dueAt, diverted }) => [
      ...(ending !== undefined && ending.phase !== 'ended' ? [`ending: ${ending.phase}`] : []),
      ...(rotating === undefined ? [] : [`rotating: ${rotating.phase}`]),
      ...(previous === undefined ? [] : ['an old key']),
      ...(leaseUntil === 0 ? [] : ['held']),
      ...(isThere(dueAt) || diverted ? ['due'] : []),
    ]),
    open: items.filter(({ sk, status }) => revocationIds.some((id) => sk === `REVOCATION#${id}`) && status !== 'done').length,
  };
}
