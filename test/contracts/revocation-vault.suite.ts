import { describe, expect, it } from 'vitest';
import { markerVersionId } from '../../functions/credentials/revocation-vault.secrets-manager.ts';
import type { RevocationVault } from '../../functions/credentials/revocation-vault.ts';
import type { RotationVault } from '../../functions/credentials/rotation-vault.ts';
import type { SecretPlace, Vault } from '../../functions/credentials/vault.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const marker = markerVersionId(acme, main);
const [first, second, third] = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)];
const revoked = (versionId: string): string => `REVOKED-${versionId.slice(0, 16)}`;

/** What every vault does with the secret of a revoked credential. */
export function revocationVaultContract(
  name: string,
  make: () => Promise<{ vault: Vault; rotation: RotationVault; revocation: RevocationVault; kmsKeyArn: string }>,
): void {
  describe(`X3 ${name} as a vault of what is revoked`, () => {
    /** A secret in the middle of a rotation: one version in force, one before it, one to come. */
    const start = async () => {
      const { vault, rotation, revocation, kmsKeyArn } = await make();
      const place: SecretPlace = {
        ...{ tenantId: acme, credentialId: main, provider: 'openai', tier: 'pool', environment: 'production', kmsKeyArn },
      };
      await vault.store(place, new SecretText('sk-1'), first);
      await rotation.stage(place, new SecretText('sk-2'), second);
      await rotation.promote(acme, main, { to: second, from: first });
      await rotation.stage(place, new SecretText('sk-3'), third);
      const labels = async () => (await vault.describe(acme, main))?.versions;
      const takeOut = (...versionIds: string[]) => revocation.takeOut(acme, main, { versionIds, customerKey: false });
      return { vault, rotation, revocation, place, labels, takeOut };
    };

    it('gives no key to whoever reads the secret without naming a version', async () => {
      const { vault, takeOut } = await start();
      await takeOut(first, second, third);
      await expect(vault.read(acme, main, 'AWSPREVIOUS')).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await expect(vault.read(acme, main, 'AWSPENDING')).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      expect(await readCurrent(vault)).not.toMatch(/^sk-/);
    });

    it('keeps every version that was taken out readable by its ID, under a label of its own', async () => {
      const { revocation, labels, takeOut } = await start();
      await takeOut(first, second, third);
      expect(await labels()).toEqual({
        [first]: [revoked(first)],
        [second]: [revoked(second)],
        [third]: [revoked(third)],
        [marker]: ['AWSCURRENT'],
      });
      const texts = await Promise.all([first, second, third].map((id) => revocation.readVersion(acme, main, id)));
      expect(texts.map((text) => text?.reveal())).toEqual(['sk-1', 'sk-2', 'sk-3']);
    });

    it('changes nothing when it is asked again', async () => {
      const { revocation, labels, takeOut } = await start();
      await takeOut(first, second, third);
      const once = await labels();
      await takeOut(first, second, third);
      expect(await labels()).toEqual(once);
      expect(await revocation.versions(acme, main)).toHaveLength(3);
    });

    it('leaves a version that nobody named with a label, to be found by it', async () => {
      const { revocation, labels, takeOut } = await start();
      await takeOut(first, second);
      expect((await labels())?.[third]).toEqual(['AWSPENDING']);
      expect((await revocation.versions(acme, main))?.find(({ versionId }) => versionId === third)?.labels).toEqual(['AWSPENDING']);
    });

    it('takes the place of a key that is stored afterwards', async () => {
      const { vault, place, labels, takeOut } = await start();
      await takeOut(first, second, third);
      const late = '4'.repeat(64);
      await vault.store(place, new SecretText('sk-4'), late);
      expect(await readCurrent(vault)).toBe('sk-4');
      await takeOut(first, second, third, late);
      expect((await labels())?.[late]).toEqual([revoked(late)]);
      expect((await labels())?.[marker]).toEqual(['AWSCURRENT']);
      expect(await readCurrent(vault)).not.toMatch(/^sk-/);
    });

    it('lets no late worker put a key into force, or back', async () => {
      const { rotation, labels, takeOut } = await start();
      await takeOut(first, second, third);
      const before = await labels();
      await expect(rotation.promote(acme, main, { to: third, from: second })).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(rotation.promote(acme, main, { to: first, from: second })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await labels()).toEqual(before);
    });

    it('lists every version that holds a key, and not the one that stands in their place', async () => {
      const { revocation, takeOut } = await start();
      const ids = async () => (await revocation.versions(acme, main))?.map(({ versionId }) => versionId);
      expect(await ids()).toEqual([first, second, third]);
      await takeOut(first, second, third);
      expect(await ids()).toEqual([first, second, third]);
    });

    it('knows nothing of a version that is not there', async () => {
      const { revocation, takeOut } = await start();
      const absent = '9'.repeat(64);
      expect(await revocation.readVersion(acme, main, absent)).toBeUndefined();
      await expect(takeOut(first, absent)).resolves.toBeUndefined();
      expect(await revocation.versions(acme, main)).toHaveLength(3);
    });

    it('closes a secret: nobody reads it any more, and it is as good as gone', async () => {
      const { vault, revocation } = await start();
      await revocation.close(acme, main);
      await revocation.close(acme, main);
      await expect(vault.read(acme, main)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      expect(await vault.describe(acme, main)).toBeUndefined();
      expect(await revocation.versions(acme, main)).toBeUndefined();
    });

    it('erases a secret, closed or not, also when it is gone already', async () => {
      const { vault, revocation, place } = await start();
      await revocation.close(acme, main);
      await revocation.erase(acme, main);
      await revocation.erase(acme, main);
      expect(await revocation.versions(acme, main)).toBeUndefined();
      // The name is free: nothing of it is left.
      await vault.store(place, new SecretText('sk-9'), first);
      await revocation.erase(acme, main);
      expect(await vault.describe(acme, main)).toBeUndefined();
    });
  });
}

/** What whoever asks for the secret gets; a text that is no key is an error of the reader's. */
async function readCurrent(vault: Vault): Promise<string> {
  try {
    return (await vault.read(acme, main)).secret.reveal();
  } catch (error) {
    return String(error);
  }
}
