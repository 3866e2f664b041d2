import { describe, expect, it } from 'vitest';
import type { RotationVault } from '../../functions/credentials/rotation-vault.ts';
import type { SecretPlace, Vault } from '../../functions/credentials/vault.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const [first, second, third] = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)];
const [one, two, three] = [new SecretText('sk-1'), new SecretText('sk-2'), new SecretText('sk-3')];

/** What every vault does with the versions of a secret. `vault` makes the secret, under a key that it may use. */
export function rotationVaultContract(
  name: string,
  make: () => Promise<{ vault: Vault; rotation: RotationVault; kmsKeyArn: string }>,
): void {
  describe(`R3 R7 ${name} as a vault of versions`, () => {
    /** A secret whose first version is the current one. */
    const start = async () => {
      const { vault, rotation, kmsKeyArn } = await make();
      const place: SecretPlace = {
        ...{ tenantId: acme, credentialId: main, provider: 'openai', tier: 'pool', environment: 'production', kmsKeyArn },
      };
      const { secretArn } = await vault.store(place, one, first);
      const labels = async () => (await vault.describe(acme, main))?.versions;
      const current = async () => (await vault.read(acme, main)).secret.reveal();
      return { vault, rotation, place, secretArn, labels, current };
    };
    /** One whose second version has taken the place of the first. */
    const rotated = async () => {
      const started = await start();
      await started.rotation.stage(started.place, two, second);
      await started.rotation.promote(acme, main, { to: second, from: first });
      return started;
    };

    it('stages a secret beside the one in use, which stays in use', async () => {
      const { rotation, place, secretArn, labels, current } = await start();
      expect(await rotation.stage(place, two, second)).toEqual({ secretArn, versionId: second });
      expect(await labels()).toEqual({ [first]: ['AWSCURRENT'], [second]: ['AWSPENDING'] });
      expect(await current()).toBe('sk-1');
      expect((await rotation.readVersion(acme, main, second)).reveal()).toBe('sk-2');
    });

    it('stages the same secret under the same version once, and no other secret under it', async () => {
      const { rotation, place, labels } = await start();
      const staged = await rotation.stage(place, two, second);
      expect(await rotation.stage(place, two, second)).toEqual(staged);
      await expect(rotation.stage(place, three, second)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
      expect(await labels()).toEqual({ [first]: ['AWSCURRENT'], [second]: ['AWSPENDING'] });
    });

    it('stages a later attempt in the place of an earlier one', async () => {
      const { rotation, place, labels } = await start();
      await rotation.stage(place, two, second);
      await rotation.stage(place, three, third);
      expect(await labels()).toEqual({ [first]: ['AWSCURRENT'], [third]: ['AWSPENDING'] });
    });

    it('does not stage anew what has come into force', async () => {
      const { rotation, place, labels } = await rotated();
      await rotation.stage(place, two, second);
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    });

    it('promotes a staged version, keeps the previous one, and leaves nothing pending', async () => {
      const { rotation, labels, current } = await rotated();
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
      expect(await current()).toBe('sk-2');
      expect((await rotation.readVersion(acme, main, first)).reveal()).toBe('sk-1');
    });

    it('promotes once, however often it is asked', async () => {
      const { rotation, labels } = await rotated();
      await rotation.promote(acme, main, { to: second, from: first });
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    });

    it('refuses a worker that is late: another version is the current one than the one that it knows', async () => {
      const { rotation, place, labels, current } = await start();
      await rotation.stage(place, two, second);
      await rotation.stage(place, three, third);
      await rotation.promote(acme, main, { to: third, from: first });
      await expect(rotation.promote(acme, main, { to: second, from: first })).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [third]: ['AWSCURRENT'] });
      expect(await current()).toBe('sk-3');
    });

    it('lets one of two that promote different versions at once have its way', async () => {
      const { rotation, place, labels } = await start();
      await rotation.stage(place, two, second);
      await rotation.stage(place, three, third);
      const ends = await Promise.allSettled([second, third].map((to) => rotation.promote(acme, main, { to, from: first })));
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [won, lost] = ends[0]?.status === 'fulfilled' ? [second, third] : [third, second];
      expect((await labels())?.[won]).toEqual(['AWSCURRENT']);
      expect((await labels())?.[lost] ?? []).not.toContain('AWSCURRENT');
    });

    it('goes back to the previous version, and forward again', async () => {
      const { rotation, labels, current } = await rotated();
      await rotation.promote(acme, main, { to: first, from: second });
      expect(await labels()).toEqual({ [first]: ['AWSCURRENT'], [second]: ['AWSPREVIOUS'] });
      expect(await current()).toBe('sk-1');
      await rotation.promote(acme, main, { to: second, from: first });
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    });

    it('drops a previous or a pending version, also when it is dropped already', async () => {
      const { rotation, place, labels } = await rotated();
      await rotation.stage(place, three, third);
      for (const versionId of [first, first, third, third]) await rotation.drop(acme, main, versionId);
      expect(await labels()).toEqual({ [second]: ['AWSCURRENT'] });
      await expect(rotation.drop(acme, main, '9'.repeat(64))).resolves.toBeUndefined();
    });

    it('never drops the current version', async () => {
      const { rotation, labels, current } = await rotated();
      await expect(rotation.drop(acme, main, second)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
      expect(await current()).toBe('sk-2');
    });

    it('drops all but what is named and what is current', async () => {
      const { rotation, place, labels } = await rotated();
      await rotation.stage(place, three, third);
      expect(await rotation.dropAllBut(acme, main, [first])).toEqual([third]);
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
      expect(await rotation.dropAllBut(acme, main, [])).toEqual([first]);
      expect(await rotation.dropAllBut(acme, main, [])).toEqual([]);
      expect(await labels()).toEqual({ [second]: ['AWSCURRENT'] });
    });

    it('lists every version that there is, the oldest first, those out of use too', async () => {
      const { rotation, place } = await rotated();
      await rotation.drop(acme, main, first);
      await rotation.stage(place, three, third);
      expect(await rotation.versions(acme, main)).toEqual([
        { versionId: first, labels: [], createdAt: expect.any(Number) },
        { versionId: second, labels: ['AWSCURRENT'], createdAt: expect.any(Number) },
        { versionId: third, labels: ['AWSPENDING'], createdAt: expect.any(Number) },
      ]);
    });

    it('has nothing to do with a secret or a version that is not there', async () => {
      const { vault, rotation, place } = await start();
      await expect(rotation.readVersion(acme, main, second)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await expect(rotation.promote(acme, main, { to: second, from: first })).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await vault.remove(acme, main);
      await expect(rotation.stage(place, two, second)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await expect(rotation.versions(acme, main)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await expect(rotation.drop(acme, main, first)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
    });
  });
}
