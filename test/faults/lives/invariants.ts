/** What holds when a life has come to rest, whatever went wrong in it. Each looks at what is the case and tells what is not as it should be. */
import { type CredentialItem, credentialItem } from '../../../functions/tenants/registry.ts';
import { sightings } from '../../support/canaries.ts';
import { publishedSince } from '../../support/ground-truth.ts';
import { itemsOfTenant } from '../../support/revocation-facts.ts';
import { userIdIn } from './acts.ts';
import { isRefused, type LivingCredential, type LivingTenant } from './cast.ts';
import type { Life } from './course.ts';
import { keyOf, liveKeysOf, recordsOf } from './ground.ts';
import type { DeadLetter } from './mail.ts';

/** A life that has come to rest. */
export interface AtRest {
  readonly life: Life;
  /** Of the cloud's clock: when it began. */
  readonly since: number;
  readonly letters: readonly DeadLetter[];
  /** How many secrets there were before it. */
  readonly secretsBefore: { readonly keys: number; readonly sessions: number; readonly tokens: number };
}

type Invariant = (rest: AtRest) => Promise<readonly string[]>;
type Items = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

async function itemsOf({ world }: Life, { tenantId }: LivingTenant): Promise<Items> {
  return new Map((await itemsOfTenant(world.test, tenantId)).map((item) => [item.sk, item]));
}

function credentialIn(items: Items, { credentialId }: LivingCredential): CredentialItem | undefined {
  const item = items.get(`CREDENTIAL#${credentialId}`);
  return item && credentialItem.parse(item);
}

const eachTenant = async (
  { life }: AtRest,
  look: (tenant: LivingTenant, items: Items) => Promise<readonly string[]>,
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const tenant of life.tenants) found.push(...(await look(tenant, await itemsOf(life, tenant))));
  return found;
};

/** Whose owner may still do something. */
const isInUse = (tenant: LivingTenant, credential: LivingCredential): boolean =>
  tenant.status !== 'offboarded' &&
  !credential.isRevoked &&
  !isRefused({ ...tenant, status: 'active' }, credential, { subject: credential.subject ?? '' });

/** A key that a provider takes is the one in force of a credential that knows it, and the key in force of one in use is taken. */
export const noKeyIsOrphanOrLost: Invariant = (rest) =>
  eachTenant(rest, async (tenant, items) => {
    const { life } = rest;
    const found: string[] = [];
    const known = new Set<string>();
    for (const credential of tenant.credentials) {
      const item = credentialIn(items, credential);
      if (!isInUse(tenant, credential) || item?.status !== 'active') continue;
      const userId = credential.subject === undefined ? undefined : userIdIn(life, credential.subject);
      const key = await keyOf(life.world.test, tenant, credential, userId).catch(() => undefined);
      const of = `${credential.credentialId} of ${tenant.tenantId}`;
      if (key === undefined) found.push(`3 lost: the secret of ${of} cannot be read`);
      else {
        known.add(key.fingerprint);
        const isTaken = life.world.test.cloud.world.simulators[credential.provider]
          ?.liveKeys()
          .some(({ fingerprint }) => fingerprint === key.fingerprint);
        if (isTaken !== true) found.push(`3 lost: the key in force of ${of} is not taken by ${credential.provider}`);
        if (key.versionId !== item.secretVersionId) found.push(`3 lost: the registry names another version of ${of} than the secret`);
      }
    }
    for (const { provider, name, fingerprint } of liveKeysOf(life.world.test, tenant.tenantId)) {
      // A resource with two slots always has two keys: what counts is that nobody has been given them.
      if (provider === 'azure-openai' || known.has(fingerprint)) continue;
      found.push(`3 orphan: ${provider} takes the key ${name}, which no credential has in force`);
    }
    return found;
  });

/** What was ended is refused by its provider, or it is said that this is not confirmed. */
export const nothingRevokedIsTaken: Invariant = (rest) =>
  eachTenant(rest, async (tenant, items) => {
    const found: string[] = [];
    for (const credential of tenant.credentials) {
      if (!credential.isRevoked) continue;
      const { credentialId, provider, ownKeys } = credential;
      const item = credentialIn(items, credential);
      if (item !== undefined && item.status !== 'revoked')
        found.push(`4 revoked and usable: ${credentialId} of ${tenant.tenantId} is ${item.status}`);
      if (item?.ending?.phase !== undefined && item.ending.phase !== 'ended') continue;
      const own = new Set(ownKeys.map((key) => rest.life.world.fingerprintOf(key)));
      const live = rest.life.world.test.cloud.world.simulators[provider]?.liveKeys() ?? [];
      for (const { name, fingerprint } of live)
        if (own.has(fingerprint) || name.startsWith(`${tenant.tenantId}.${credentialId}.`))
          found.push(`4 revoked and usable: ${provider} takes a key of ${credentialId} of ${tenant.tenantId}, which is said to be ended`);
    }
    return found;
  });

/** Nothing is held, late, or put aside without a reason. */
export const nothingIsStuck: Invariant = async (rest) => {
  const { life, letters } = rest;
  const now = life.world.test.cloud.clock.now();
  const left = await life.world.mail.left();
  return [
    ...(left > 0 ? [`5 stuck: ${left} messages are in the queues`] : []),
    ...letters.flatMap(({ queue, reason, body }) =>
      reason === undefined ? [`5 stuck: a message of ${queue} was put aside without a reason: ${body}`] : [],
    ),
    ...(await eachTenant(rest, async ({ tenantId }, items) =>
      [...items].flatMap(([sk, { dueAt, leaseUntil }]) => [
        ...(typeof dueAt === 'number' && dueAt <= now
          ? [`5 stuck: ${sk} of ${tenantId} is due since ${new Date(dueAt).toISOString()}`]
          : []),
        ...(typeof leaseUntil === 'number' && leaseUntil > now ? [`5 stuck: ${sk} of ${tenantId} is held`] : []),
      ]),
    )),
  ];
};

/** Nothing that happened looks to Cordon itself like an attack. */
export const nobodyIsAccused: Invariant = async ({ life, since }) =>
  (await publishedSince(life.world.test.cloud, since)).flatMap(({ detailType, detail }) =>
    detailType === 'IsolationViolationDetected' ? [`1 cross-tenant access: it was told ${JSON.stringify(detail)}`] : [],
  );

const dayMs = 86_400_000;

/** No secret of this life shows in what was written in it. */
export const noSecretShows: Invariant = async ({ life, since, letters, secretsBefore }) => {
  const { test, staff } = life.world;
  const { cloud } = test;
  const canaries = [
    ...cloud.world.plantedSecrets().slice(secretsBefore.keys),
    ...[...cloud.kernel.identities.sessions.values()]
      .slice(secretsBefore.sessions)
      .flatMap((session) => [session.secretAccessKey, session.sessionToken]),
    ...[...test.tokens].slice(secretsBefore.tokens),
  ].map((secret) => ({ kind: 'a secret', secret }));
  const days: string[] = [];
  for (let time = since; time < cloud.clock.now() + dayMs; time += dayMs) days.push(new Date(time).toISOString().slice(0, 10));
  const written = [
    { where: 'a log', text: staff.lines().join('\n') },
    { where: 'an event', text: JSON.stringify(await publishedSince(cloud, since)) },
    { where: 'a message that was put aside', text: JSON.stringify(letters) },
  ];
  for (const { tenantId } of life.tenants) {
    written.push({ where: 'the registry', text: JSON.stringify(await itemsOfTenant(test, tenantId)) });
    for (const day of days) written.push({ where: 'the record', text: JSON.stringify(await recordsOf(cloud, tenantId, day)) });
  }
  return sightings(written, canaries).map(({ where }) => `6 a secret shows in ${where}`);
};

const invariants: readonly Invariant[] = [noKeyIsOrphanOrLost, nothingRevokedIsTaken, nothingIsStuck, nobodyIsAccused, noSecretShows];

/** Everything that is not as it should be. */
export async function violationsOf(rest: AtRest): Promise<readonly string[]> {
  const found: string[] = [...rest.life.complaints, ...rest.life.world.witness.seen];
  for (const holds of invariants) found.push(...(await holds(rest)));
  return [...new Set(found)].sort();
}
