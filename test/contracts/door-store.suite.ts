import { beforeEach, describe, expect, it } from 'vitest';
import type { DoorKey, DoorStore, NonceItem } from '../../functions/credentials/door-store.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { CredentialItem, Registry } from '../../functions/tenants/registry.ts';

interface Opened {
  readonly door: DoorStore;
  readonly registry: Registry;
}

let count = 0;

/** What every implementation of the port has to do. `open` gives one with the registry that it shares its credentials with. */
export function doorStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`the door store (${name})`, () => {
    const id = credentialId.parse('anthropic-own');
    let opened: Opened;
    let tenant = tenantId.parse('acme');
    let nonce: NonceItem;
    let credential: CredentialItem;

    beforeEach(async () => {
      opened = await open();
      count += 1;
      tenant = tenantId.parse(`acme-${count}`);
      nonce = {
        tenantId: tenant,
        value: `nonce-${count}`,
        userId: userIdOf('i', 'ann'),
        kid: 'k',
        expiresAt: 1_800_000_000_000,
        status: 'open',
        version: 1,
      };
      await opened.door.addNonce(nonce);
      await opened.registry.addTenant({
        ...{ kind: 'TENANT', tenantId: tenant, displayName: 'Acme', tier: 'pool', status: 'active', requestedBy: 'op' },
        ...{ epoch: 0, announced: true, attempt: 1, leaseUntil: 0, accounts: {}, plan: [], rules: [], rulesVersion: 0 },
        ...{ rulesEventIds: [], rulesAnnounced: true },
      });
      credential = await opened.registry.addCredential({
        kind: 'CREDENTIAL',
        tenantId: tenant,
        credentialId: id,
        provider: 'anthropic',
        source: 'customer-supplied',
        environment: 'production',
        tier: 'pool',
        status: 'awaiting',
        requestedBy: 'op',
        epoch: 3,
        announced: true,
        attempt: 0,
        leaseUntil: 0,
        secretMayExist: false,
      });
    });

    const claimed = () => opened.door.claim(nonce, credential, { digest: 'd', leaseUntil: 77 });
    const keyOf = (kid: string): DoorKey => ({
      ...{ tenantId: tenant, month: '2026-11', kid, privateKey: 'AA==', kmsKeyArn: 'arn:k' },
      publicKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
    });

    it('keeps the first key of a month', async () => {
      expect(await opened.door.doorKey(tenant, '2026-11')).toBeUndefined();
      expect(await opened.door.addDoorKey(keyOf('one'))).toEqual(keyOf('one'));
      expect(await opened.door.addDoorKey(keyOf('two'))).toEqual(keyOf('one'));
      expect(await opened.door.doorKey(tenant, '2026-11')).toEqual(keyOf('one'));
      expect(await opened.door.doorKey(tenant, '2026-12')).toBeUndefined();
    });

    it('finds a nonce where it was kept and nowhere else', async () => {
      expect(await opened.door.nonce(tenant, nonce.value)).toEqual(nonce);
      expect(await opened.door.nonce(tenant, 'other')).toBeUndefined();
      expect(await opened.door.nonce(tenantId.parse('stranger'), nonce.value)).toBeUndefined();
    });

    it('claims nonce and lease together', async () => {
      const claim = await claimed();
      expect(claim.nonce).toMatchObject({ status: 'claimed', claim: { digest: 'd', credentialId: id, attempt: 1 }, version: 2 });
      expect(await opened.door.nonce(tenant, nonce.value)).toEqual(claim.nonce);
      expect(await opened.registry.credential(tenant, id)).toMatchObject({ attempt: 1, leaseUntil: 77, status: 'awaiting', version: 2 });
    });

    it('claims neither when either was changed', async () => {
      await claimed();
      await expect(claimed()).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
      const held = await opened.registry.credential(tenant, id);
      if (!held) throw new Error('the credential is gone');
      await expect(opened.door.claim(nonce, held, { digest: 'e', leaseUntil: 78 })).rejects.toMatchObject({ code: 'CONFLICT' });
      const now = await opened.door.nonce(tenant, nonce.value);
      if (!now) throw new Error('the nonce is gone');
      await expect(opened.door.claim(now, credential, { digest: 'e', leaseUntil: 78 })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await opened.registry.credential(tenant, id)).toEqual(held);
      expect(await opened.door.nonce(tenant, nonce.value)).toEqual(now);
    });

    it('settles a stored secret: the credential is active with it, the nonce used, the epoch as it was', async () => {
      const settled = await opened.door.settle(await claimed(), { result: 'stored', secretArn: 'arn:s', secretVersionId: 'v', at: 5 });
      expect(settled).toMatchObject({
        status: 'active',
        secretArn: 'arn:s',
        secretVersionId: 'v',
        suppliedAt: 5,
        leaseUntil: 0,
        announced: false,
        epoch: 3,
        version: 3,
      });
      expect(await opened.registry.credential(tenant, id)).toMatchObject({
        status: 'active',
        secretVersionId: 'v',
        suppliedAt: 5,
        version: 3,
        epoch: 3,
      });
      expect(await opened.door.nonce(tenant, nonce.value)).toMatchObject({ status: 'used' });
      // The item can be changed on from what was answered.
      expect(await opened.registry.changeCredential(settled, { announced: true })).toMatchObject({ version: 4 });
    });

    it('settles a refused key: the nonce is used, the credential as it was', async () => {
      const settled = await opened.door.settle(await claimed(), { result: 'refused' });
      expect(settled).toMatchObject({ status: 'awaiting', leaseUntil: 0 });
      expect(settled).not.toHaveProperty('secretVersionId');
      expect(await opened.door.nonce(tenant, nonce.value)).toMatchObject({ status: 'used' });
    });

    it('settles nothing that was changed under way, e.g. by a revocation', async () => {
      const claim = await claimed();
      await opened.registry.changeCredential(claim.credential, { status: 'revoked' });
      const settle = opened.door.settle(claim, { result: 'stored', secretArn: 'arn:s', secretVersionId: 'v', at: 5 });
      await expect(settle).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await opened.registry.credential(tenant, id)).toMatchObject({ status: 'revoked' });
      expect(await opened.door.nonce(tenant, nonce.value)).toMatchObject({ status: 'claimed' });
    });
  });
}
