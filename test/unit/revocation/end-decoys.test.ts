import { describe, expect, it } from 'vitest';
import { decoysOf, decoyValue, decoyVersionId } from '../../../functions/isolation/honey/decoys.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { acme, createRevocationWorld } from '../../contracts/fakes/revocation-world.ts';
import { seedTenant } from '../../support/large-tenant.ts';

const key = new SecretText('k'.repeat(64));

/** A dedicated tenant with its decoys, one of whose keys only its customer can end. */
async function offboarded(action: 'offboard' | 'revoke') {
  const world = createRevocationWorld();
  await seedTenant(world, { users: 1, credentials: 100 });
  const tenant = await world.registry.tenant(acme);
  if (!tenant) throw new Error('there is no tenant');
  await world.registry.changeTenant(tenant, { hasDecoys: true });
  for (const decoy of decoysOf(key, acme)) {
    const place = { tenantId: acme, credentialId: decoy.credentialId, provider: decoy.provider } as const;
    const more = { tier: 'dedicated', environment: 'production', kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/own' } as const;
    await world.vault.store({ ...place, ...more }, decoyValue(key, acme, decoy), decoyVersionId(key, acme, decoy));
  }
  await world.request({ action, scope: 'tenant' }, 'e-1');
  while ((await world.revocationOf('e-1')).status === 'open') await world.sweep('e-1');
  const names = await Promise.all(decoysOf(key, acme).map(({ credentialId }) => world.vault.describe(acme, credentialId)));
  return { status: (await world.revocationOf('e-1')).status, decoys: names.filter((one) => one !== undefined).length };
}

describe('T6 decoys of a tenant that goes', () => {
  it('go too, also where a provider never confirms the end of a key', async () => {
    expect(await offboarded('offboard')).toEqual({ status: 'unconfirmed', decoys: 0 });
  });

  it('stay where its credentials are revoked and the tenant is not', async () => {
    expect(await offboarded('revoke')).toEqual({ status: 'unconfirmed', decoys: 3 });
  });
});
