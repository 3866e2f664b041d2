import { describe, expect, it } from 'vitest';
import type { SecretPlace, Vault } from '../../functions/credentials/vault.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const ann = userIdOf('https://idp.example.com', 'ann');
const [first, second] = ['1'.repeat(64), '2'.repeat(64)];

/** What every vault does. `kmsKeyArn` is a key that it may use. */
export function vaultContract(name: string, make: () => Promise<{ vault: Vault; kmsKeyArn: string }>): void {
  describe(`I1 ${name} as a vault`, () => {
    const start = async () => {
      const { vault, kmsKeyArn } = await make();
      const place: SecretPlace = {
        tenantId: acme,
        credentialId: main,
        provider: 'openai',
        tier: 'pool',
        environment: 'production',
        userId: ann,
        team: 'care team',
        useCase: 'support',
        kmsKeyArn,
      };
      return { vault, place };
    };

    it('stores a key under its tenant’s path with the tags that IAM compares', async () => {
      const { vault, place } = await start();
      const stored = await vault.store(place, new SecretText('sk-1'), first);
      expect(stored).toEqual({ secretArn: expect.stringContaining(':secret:cordon/acme/main-'), versionId: first });
      expect(await vault.describe(acme, main)).toEqual({
        secretArn: stored.secretArn,
        kmsKeyArn: place.kmsKeyArn,
        versions: { [first]: ['AWSCURRENT'] },
        tags: {
          TenantId: 'acme',
          CredentialId: 'main',
          Provider: 'openai',
          Tier: 'pool',
          Environment: 'production',
          UserId: ann,
          Team: 'care team',
          UseCase: 'support',
        },
      });
      const read = await vault.read(acme, main);
      expect([read.secret.reveal(), read.versionId]).toEqual(['sk-1', first]);
    });

    it('stores the key of a later attempt as the current version of the same secret', async () => {
      const { vault, place } = await start();
      const before = await vault.store(place, new SecretText('sk-1'), first);
      expect(await vault.store(place, new SecretText('sk-2'), second)).toEqual({ secretArn: before.secretArn, versionId: second });
      expect((await vault.read(acme, main)).secret.reveal()).toBe('sk-2');
      expect((await vault.read(acme, main, 'AWSPREVIOUS')).secret.reveal()).toBe('sk-1');
      expect((await vault.describe(acme, main))?.versions).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
    });

    it('stores the same key under the same version once, however often it is asked', async () => {
      const { vault, place } = await start();
      const once = await vault.store(place, new SecretText('sk-1'), first);
      expect(await vault.store(place, new SecretText('sk-1'), first)).toEqual(once);
      expect((await vault.describe(acme, main))?.versions).toEqual({ [first]: ['AWSCURRENT'] });
    });

    it('stores a connection string as what it is', async () => {
      const { vault, place } = await start();
      const text = 'postgres://app:pw@db.acme.com/orders';
      await vault.store({ ...place, provider: 'postgres' }, new SecretText(text), first);
      expect((await vault.read(acme, main)).secret.reveal()).toBe(text);
    });

    it('removes a secret for good, so that its name is free at once', async () => {
      const { vault, place } = await start();
      await vault.store(place, new SecretText('sk-1'), first);
      await vault.remove(acme, main);
      expect(await vault.describe(acme, main)).toBeUndefined();
      await expect(vault.read(acme, main)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await vault.store(place, new SecretText('sk-2'), second);
      expect((await vault.read(acme, main)).secret.reveal()).toBe('sk-2');
    });

    it('knows nothing of what is not there, and removes it without complaint', async () => {
      const { vault } = await start();
      expect(await vault.describe(acme, main)).toBeUndefined();
      await expect(vault.remove(acme, main)).resolves.toBeUndefined();
    });
  });
}
