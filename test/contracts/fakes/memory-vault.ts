import { createHash } from 'node:crypto';
import { markerVersionId } from '../../../functions/credentials/revocation-vault.secrets-manager.ts';
import type { RevocationVault } from '../../../functions/credentials/revocation-vault.ts';
import type { RotationVault } from '../../../functions/credentials/rotation-vault.ts';
import type { SecretPlace, Vault } from '../../../functions/credentials/vault.ts';
import { secretName } from '../../../functions/credentials/vault.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { CredentialId, TenantId } from '../../../functions/shared/identifiers.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

interface MemorySecret {
  readonly secretArn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kmsKeyArn: string;
  /** In the order in which they were made. */
  readonly versions: Map<string, { value: string; labels: string[] }>;
  /** True while it waits to be deleted. */
  closed?: boolean;
}

/** Both what stores secrets and what moves their versions, over the same secrets. */
export interface MemoryVault extends Vault, RotationVault {
  /** The same secrets, for ending them. */
  readonly revocation: RevocationVault;
  /** Names of the secrets that exist. */
  readonly names: readonly string[];
  /** The value that a secret's label stands at. */
  valueOf(name: string, label?: string): string | undefined;
  /** Deletes a version, as Secrets Manager does with those that are out of use. */
  forget(name: string, versionId: string): void;
  /** Makes every operation refused, as IAM does to a session that may not. */
  refuse(refused: boolean): void;
  /** Makes a customer's key unusable. */
  refuseCustomerKey(refused: boolean): void;
  /** Whether a secret that is not there is answered with a refusal, as IAM does where it compares the secret's tag. */
  refuseMissing(refused: boolean): void;
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
  let missingRefused = false;
  const check = (): void => {
    if (refused) throw new CordonError('ACCESS_REFUSED', 'the vault was refused by IAM');
  };
  const labelled = (name: string, label = 'AWSCURRENT'): string | undefined =>
    [...(secrets.get(name)?.versions.values() ?? [])].find((version) => version.labels.includes(label))?.value;

  /** Puts a label on a version; `AWSCURRENT` leaves `AWSPREVIOUS` where it was. */
  function attach(secret: MemorySecret, versionId: string, label: string): void {
    const held = secret.versions.get(versionId);
    if (!held) throw new CordonError('AWS_REFUSED', 'there is no such secret or version');
    if (held.labels.includes(label)) return;
    const holder = [...secret.versions.values()].find((version) => version.labels.includes(label));
    if (holder) holder.labels = holder.labels.filter((one) => one !== label);
    held.labels = [...held.labels, label];
    if (label !== 'AWSCURRENT' || !holder) return;
    for (const version of secret.versions.values()) version.labels = version.labels.filter((one) => one !== 'AWSPREVIOUS');
    holder.labels = [...holder.labels, 'AWSPREVIOUS'];
  }

  function add(secret: MemorySecret, versionId: string, value: string, label: string): void {
    const same = secret.versions.get(versionId);
    if (same && same.value !== value) throw new CordonError('CONFLICT', 'the version exists with another value', { retryable: true });
    if (same) return;
    secret.versions.set(versionId, { value, labels: [] });
    attach(secret, versionId, label);
  }

  function existing(tenantId: TenantId, credentialId: CredentialId): MemorySecret {
    check();
    const secret = secrets.get(secretName(tenantId, credentialId));
    if (!secret || secret.closed === true) throw new CordonError('AWS_REFUSED', 'there is no such secret or version');
    return secret;
  }

  /** What ends a secret sees of it; undefined when there is none. */
  function ending(tenantId: TenantId, credentialId: CredentialId): MemorySecret | undefined {
    check();
    const secret = secrets.get(secretName(tenantId, credentialId));
    if (!secret && missingRefused) throw new CordonError('ACCESS_REFUSED', 'the vault was refused by IAM');
    return secret;
  }

  const revocation: RevocationVault = {
    async versions(tenantId, credentialId) {
      const secret = ending(tenantId, credentialId);
      if (!secret || secret.closed === true) return undefined;
      return [...secret.versions]
        .map(([versionId, { labels }], order) => ({ versionId, labels, createdAt: order }))
        .filter(({ versionId }) => versionId !== markerVersionId(tenantId, credentialId));
    },
    async readVersion(tenantId, credentialId, versionId) {
      const version = ending(tenantId, credentialId)?.versions.get(versionId);
      if (keyRefused) throw new CordonError('CUSTOMER_KEY_REFUSED', 'the KMS key cannot be used');
      return version && new SecretText(version.value);
    },
    async takeOut(tenantId, credentialId, { versionIds, customerKey }) {
      ending(tenantId, credentialId);
      const secret = existing(tenantId, credentialId);
      const markerId = markerVersionId(tenantId, credentialId);
      if (!(keyRefused && customerKey)) {
        if (!secret.versions.has(markerId)) secret.versions.set(markerId, { value: '{"revoked":true}', labels: [] });
        attach(secret, markerId, 'AWSCURRENT');
      }
      for (const versionId of versionIds) {
        const version = secret.versions.get(versionId);
        if (version) version.labels = [...version.labels.filter((label) => label === 'AWSCURRENT'), `REVOKED-${versionId.slice(0, 16)}`];
      }
    },
    async close(tenantId, credentialId) {
      const secret = ending(tenantId, credentialId);
      if (secret) secret.closed = true;
    },
    async erase(tenantId, credentialId) {
      ending(tenantId, credentialId);
      secrets.delete(secretName(tenantId, credentialId));
    },
  };

  function checkCustomerKey({ kmsKeyArn, customerKey }: Pick<SecretPlace, 'kmsKeyArn' | 'customerKey'>): void {
    if (keyRefused && customerKey === true) throw new CordonError('CUSTOMER_KEY_REFUSED', `${kmsKeyArn} could not be used`);
  }

  return {
    revocation,
    get names() {
      return [...secrets.keys()];
    },
    valueOf: labelled,
    forget(name, versionId) {
      secrets.get(name)?.versions.delete(versionId);
    },
    refuse(next) {
      refused = next;
    },
    refuseCustomerKey(next) {
      keyRefused = next;
    },
    refuseMissing(next) {
      missingRefused = next;
    },
    async store(place, secret, versionId) {
      check();
      checkCustomerKey(place);
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
      add(kept, versionId, value, 'AWSCURRENT');
      return { secretArn: kept.secretArn, versionId };
    },
    async describe(tenantId, credentialId) {
      check();
      const secret = secrets.get(secretName(tenantId, credentialId));
      if (!secret || secret.closed === true) return undefined;
      const current = [...secret.versions].filter(([, version]) => version.labels.length > 0);
      const versions = Object.fromEntries(current.map(([id, version]) => [id, version.labels]));
      return { secretArn: secret.secretArn, tags: secret.tags, kmsKeyArn: secret.kmsKeyArn, versions };
    },
    async read(tenantId, credentialId, label = 'AWSCURRENT') {
      const found = [...existing(tenantId, credentialId).versions].find(([, version]) => version.labels.includes(label));
      if (!found) throw new CordonError('AWS_REFUSED', 'there is no such secret or version');
      return { secret: new SecretText(found[1].value), versionId: found[0] };
    },
    async remove(tenantId, credentialId) {
      check();
      secrets.delete(secretName(tenantId, credentialId));
    },
    async stage(place, secret, versionId) {
      const kept = existing(place.tenantId, place.credentialId);
      checkCustomerKey(place);
      add(kept, versionId, secret.reveal(), 'AWSPENDING');
      return { secretArn: kept.secretArn, versionId };
    },
    async promote(tenantId, credentialId, { to, from }) {
      const secret = existing(tenantId, credentialId);
      const current = [...secret.versions].find(([, version]) => version.labels.includes('AWSCURRENT'))?.[0];
      if (current !== from && current !== to)
        throw new CordonError('CONFLICT', 'another version has become the current one meanwhile', { retryable: true });
      attach(secret, to, 'AWSCURRENT');
      const promoted = secret.versions.get(to);
      if (promoted) promoted.labels = promoted.labels.filter((label) => label !== 'AWSPENDING');
    },
    async drop(tenantId, credentialId, versionId) {
      const version = existing(tenantId, credentialId).versions.get(versionId);
      if (version?.labels.includes('AWSCURRENT'))
        throw new CordonError('CONFLICT', 'a version that is the current one is not dropped', { retryable: true });
      if (version) version.labels = [];
    },
    async dropAllBut(tenantId, credentialId, kept) {
      const strays = [...existing(tenantId, credentialId).versions].filter(
        ([versionId, { labels }]) => labels.length > 0 && !labels.includes('AWSCURRENT') && !kept.includes(versionId),
      );
      for (const [, version] of strays) version.labels = [];
      return strays.map(([versionId]) => versionId);
    },
    async readVersion(tenantId, credentialId, versionId) {
      const version = existing(tenantId, credentialId).versions.get(versionId);
      if (!version) throw new CordonError('AWS_REFUSED', 'there is no such secret or version');
      return new SecretText(version.value);
    },
    async versions(tenantId, credentialId) {
      return [...existing(tenantId, credentialId).versions].map(([versionId, { labels }], order) => ({
        versionId,
        labels,
        createdAt: order,
      }));
    },
  };
}
