import { createHash } from 'node:crypto';
import type { SecretPlace, Vault } from '../../../functions/credentials/vault.ts';
import { secretName } from '../../../functions/credentials/vault.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

interface MemorySecret {
  readonly secretArn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kmsKeyArn: string;
  readonly versions: Map<string, { value: string; labels: string[] }>;
}

export interface MemoryVault extends Vault {
  /** Names of the secrets that exist. */
  readonly names: readonly string[];
  /** The value that a secret's label stands at. */
  valueOf(name: string, label?: string): string | undefined;
  /** Makes every operation refused, as IAM does to a session that may not. */
  refuse(refused: boolean): void;
  /** Makes a customer's key unusable. */
  refuseCustomerKey(refused: boolean): void;
}

function tagsOf({ tenantId, credentialId, provider, tier, environment, userId, team, useCase }: SecretPlace): Record<string, string> {
  const tags = { TenantId: tenantId, CredentialId: credentialId, Provider: provider, Tier: tier, Environment: environment };
  return { ...tags, ...(userId && { UserId: userId }), ...(team && { Team: team }), ...(useCase && { UseCase: useCase }) };
}

/** Secrets in memory, with versions and labels as Secrets Manager moves them. */
export function createMemoryVault(): MemoryVault {
  const secrets = new Map<string, MemorySecret>();
  let refused = false;
  let keyRefused = false;
  const check = (): void => {
    if (refused) throw new CordonError('ACCESS_REFUSED', 'the vault was refused by IAM');
  };
  const labelled = (name: string, label = 'AWSCURRENT'): string | undefined =>
    [...(secrets.get(name)?.versions.values() ?? [])].find((version) => version.labels.includes(label))?.value;

  function promote(secret: MemorySecret, versionId: string, value: string): void {
    for (const version of secret.versions.values()) {
      version.labels = version.labels.includes('AWSCURRENT') ? ['AWSPREVIOUS'] : [];
    }
    secret.versions.set(versionId, { value, labels: ['AWSCURRENT'] });
  }

  return {
    get names() {
      return [...secrets.keys()];
    },
    valueOf: labelled,
    refuse(next) {
      refused = next;
    },
    refuseCustomerKey(next) {
      keyRefused = next;
    },
    async store(place, secret, versionId) {
      check();
      if (keyRefused && place.customerKey === true) throw new CordonError('CUSTOMER_KEY_REFUSED', `${place.kmsKeyArn} could not be used`);
      const name = secretName(place.tenantId, place.credentialId);
      const value = secret.reveal();
      const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
      const fresh = {
        secretArn: `arn:aws:secretsmanager:us-east-1:111122223333:secret:${name}-${suffix}`,
        tags: tagsOf(place),
        kmsKeyArn: place.kmsKeyArn,
      };
      const kept = secrets.get(name) ?? { ...fresh, versions: new Map() };
      secrets.set(name, kept);
      const same = kept.versions.get(versionId);
      if (same && same.value !== value) throw new CordonError('CONFLICT', 'the version exists with another value', { retryable: true });
      if (!same) promote(kept, versionId, value);
      return { secretArn: kept.secretArn, versionId };
    },
    async describe(tenantId, credentialId) {
      check();
      const secret = secrets.get(secretName(tenantId, credentialId));
      if (!secret) return undefined;
      const current = [...secret.versions].filter(([, version]) => version.labels.length > 0);
      const versions = Object.fromEntries(current.map(([id, version]) => [id, version.labels]));
      return { secretArn: secret.secretArn, tags: secret.tags, kmsKeyArn: secret.kmsKeyArn, versions };
    },
    async read(tenantId, credentialId, label = 'AWSCURRENT') {
      check();
      const found = [...(secrets.get(secretName(tenantId, credentialId))?.versions ?? [])].find(([, version]) =>
        version.labels.includes(label),
      );
      if (!found) throw new CordonError('AWS_REFUSED', 'there is no such secret or version');
      return { secret: new SecretText(found[1].value), versionId: found[0] };
    },
    async remove(tenantId, credentialId) {
      check();
      secrets.delete(secretName(tenantId, credentialId));
    },
  };
}
