import { expect } from 'vitest';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { acme, main, type RotationWorld } from './rotation-world.ts';

const secret = 'cordon/acme/main';

/** A rotation is over: one live key, which is the one in force, and nothing left of any other. */
export async function expectSettled(world: RotationWorld, before: CredentialItem): Promise<void> {
  const item = await world.item();
  expect(item.rotating).toBeUndefined();
  expect(item.previous).toBeUndefined();
  expect(item.leaseUntil).toBe(0);
  expect(item.diverted).toBeUndefined();
  expect(item.dueAt).toBeGreaterThan(world.clock());
  expect(item.secretVersionId).not.toBe(before.secretVersionId);
  const current = world.vault.valueOf(secret);
  expect(world.fakeOf(item).live()).toEqual([current]);
  expect(world.vault.valueOf(secret, 'AWSPENDING')).toBeUndefined();
  expect(world.vault.valueOf(secret, 'AWSPREVIOUS')).toBeUndefined();
  const versions = await world.vault.versions(acme, main);
  expect(versions.find(({ labels }) => labels.includes('AWSCURRENT'))?.versionId).toBe(item.secretVersionId);
  // No version is lost: what was in force before can still be looked up, without a label.
  expect(versions.map(({ versionId }) => versionId)).toContain(before.secretVersionId);
  expect(world.deadLetters).toEqual([]);
  expect(world.ofType('CredentialRotated').length).toBeGreaterThan(0);
  expect(world.ofType('CredentialRetired').map(({ versionId }) => versionId)).toContain(before.secretVersionId);
}
