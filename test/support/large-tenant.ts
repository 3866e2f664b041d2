/** A tenant of a thousand users and three thousand credentials, or of any other size, in the world in memory: as onboarding, rotation and customers have left it. */
import { keyName } from '../../functions/providers/provider.ts';
import { credentialId } from '../../functions/shared/identifier-fields.ts';
import { type UserId, userIdOf } from '../../functions/shared/identifiers.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { versionIdOf } from '../../functions/tenants/provision-credential.ts';
import type { CredentialItem, NewCredential } from '../../functions/tenants/registry.ts';
import { acme, type RevocationWorld } from '../contracts/fakes/revocation-world.ts';

export interface Size {
  readonly users: number;
  readonly credentials: number;
}
export const large: Size = { users: 1000, credentials: 3000 };

/** What there is of it, for comparing with what is certified. */
export interface LargeTenant {
  readonly credentials: number;
  readonly versions: number;
  /** Keys that the customer has made and not revoked: nobody here can end them. */
  readonly accepted: readonly string[];
}

const kmsKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/pool';
const issuer = 'https://idp.example.com';

/** Every tenth credential is in the grace of a rotation, so that it has two keys; every fiftieth is the customer's own, every other of which is accepted still. */
export async function seedTenant(world: RevocationWorld, { users, credentials }: Size): Promise<LargeTenant> {
  const { registry } = world;
  const common = { tenantId: acme, epoch: 0, requestedBy: 'ops', announced: true };
  const held = { attempt: 1, leaseUntil: 0 };
  await registry.addTenant({
    ...{ ...common, ...held, kind: 'TENANT', status: 'active', displayName: 'Acme', tier: 'pool', plan: [], rules: [], rulesVersion: 0 },
    ...{ rulesEventIds: [], rulesAnnounced: true, accounts: { openai: { attempt: 1, accountId: 'proj_1' } } },
  });
  const owners: UserId[] = [];
  for (let n = 0; n < users; n += 1) {
    const userId = userIdOf(issuer, `user-${n}`);
    owners.push(userId);
    await registry.addUser({ ...common, kind: 'USER', userId, status: 'active', issuer, subject: `user-${n}` });
  }
  const accepted: string[] = [];
  let versions = 0;
  for (let n = 0; n < credentials; n += 1) {
    // Two of three are a user's own.
    const userId = n % 3 === 0 ? undefined : owners[n % owners.length];
    const isCustomers = n % 50 === 49;
    const spec: NewCredential = {
      ...{ ...common, ...held, kind: 'CREDENTIAL', credentialId: credentialId.parse(`c-${n}`), tier: 'pool', environment: 'production' },
      ...{ status: 'active', secretMayExist: true, useCase: `use-${n}`, ...(userId !== undefined && { userId }) },
      ...(isCustomers ? { provider: 'anthropic', source: 'customer-supplied' } : { provider: 'openai', source: 'platform-issued' }),
    };
    const item = await registry.addCredential(spec);
    if (isCustomers) {
      await registry.changeCredential(item, await supply(world, item));
      versions += 1;
      if (n % 100 === 49) continue;
      accepted.push(item.credentialId);
      world.customerKeys.add(customerKey(item));
      continue;
    }
    const first = await issue(world, item, 1);
    const second = n % 10 === 5 ? await issue(world, item, 2) : undefined;
    const { secretVersionId: versionId = '', keyId } = first;
    await registry.changeCredential(item, { ...(second ?? first), ...(second && { previous: { versionId, keyId } }) });
    versions += second ? 2 : 1;
  }
  return { credentials, versions, accepted };
}

type InForce = Pick<NewCredential, 'secretVersionId' | 'keyId' | 'ownerId' | 'keyAttempt'>;

async function issue({ openai, vault }: RevocationWorld, item: CredentialItem, attempt: number): Promise<InForce> {
  const { credentialId: id } = item;
  const key = await openai.provider.createKey({ accountId: 'proj_1' }, { tenantId: acme, credentialId: id, attempt, mayExist: false });
  const versionId = versionIdOf(keyName(acme, id, attempt));
  await vault.store({ ...item, kmsKeyArn }, key.apiKey, versionId);
  return { secretVersionId: versionId, keyId: key.keyId, ownerId: key.ownerId, keyAttempt: attempt };
}

const customerKey = ({ credentialId: id }: CredentialItem): string => `sk-customer-${id}`;

async function supply({ vault }: RevocationWorld, item: CredentialItem): Promise<InForce> {
  const versionId = versionIdOf(`door ${item.credentialId}`);
  await vault.store({ ...item, kmsKeyArn }, new SecretText(customerKey(item)), versionId);
  return { secretVersionId: versionId };
}
