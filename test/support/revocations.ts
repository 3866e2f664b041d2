/** Revocations as they are seen from outside: asked for by events, and what came of them in the registry, in the vault, at the provider and on record. */
import { z } from 'zod';
import { type Revocation, revocation } from '../../functions/revocation/revocation.ts';
import { type CredentialItem, credentialItem } from '../../functions/tenants/registry.ts';
import type { TestCloud } from './cloud.ts';
import { secretsWithoutValues } from './ground-truth.ts';
import { liveKeysFor } from './rotations.ts';
import { pause } from './settle.ts';
import { registryItem } from './supply.ts';

type Detail = Readonly<Record<string, unknown>>;

/** Puts an event of this capability as the operator; answers its ID, which is the revocation's. */
export async function put(test: TestCloud, detailType: string, detail: Detail): Promise<string> {
  const common = { version: 1, requestedBy: 'ops@example.com', reason: 'to see it done' };
  const [eventId = ''] = await test.putEvents({ detailType, detail: { ...common, ...detail } });
  return eventId;
}

/** As `put`, and waits until the worker is through with it as far as the clock lets it. */
export async function apply(test: TestCloud, detailType: string, detail: Detail): Promise<string> {
  const eventId = await put(test, detailType, detail);
  await pause(test.cloud);
  return eventId;
}

/** The revocation as the registry has it. */
export async function revocationOf(test: TestCloud, tenantId: string, revocationId: string): Promise<Revocation> {
  return revocation.parse(await registryItem(test, tenantId, `REVOCATION#${revocationId}`));
}

export async function credentialOf(test: TestCloud, tenantId: string, credentialId: string): Promise<CredentialItem> {
  return credentialItem.parse(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`));
}

/** Lets time pass until nothing is left to do, or nothing but what is not confirmed. Rejects after an hour of the clock. */
export async function ended(test: TestCloud, tenantId: string, revocationId: string): Promise<Revocation> {
  for (let minutes = 0; minutes < 60; minutes += 1) {
    await pause(test.cloud);
    const item = await revocationOf(test, tenantId, revocationId);
    if (item.status !== 'open') return item;
    test.cloud.clock.advance(60_000);
  }
  throw new Error(`The revocation ${revocationId} has not ended: ${JSON.stringify(await revocationOf(test, tenantId, revocationId))}`);
}

/** Names of the tenant's secrets that exist, deleted or not. */
export async function secretNames(test: TestCloud, tenantId: string): Promise<readonly string[]> {
  const found = await secretsWithoutValues(test.cloud);
  return found.map(({ Name }) => Name).filter((name) => name.startsWith(`cordon/${tenantId}/`));
}

/** What is left of a credential: live keys at its provider, and its secret. */
export async function leftOf(test: TestCloud, tenantId: string, credentialId: string, provider: string): Promise<object> {
  const names = await secretNames(test, tenantId);
  return {
    keys: liveKeysFor(test, { tenantId, credentialId, provider }).length,
    secret: names.includes(`cordon/${tenantId}/${credentialId}`),
  };
}

const news = z.looseObject({ revocationId: z.string().optional() });

/** Detail types published about the revocation, in order. */
export async function newsOfRevocation(test: TestCloud, revocationId: string): Promise<readonly string[]> {
  const all = await test.published(revocationId);
  return all.filter(({ detail }) => news.safeParse(detail).data?.revocationId === revocationId).map(({ detailType }) => detailType);
}
