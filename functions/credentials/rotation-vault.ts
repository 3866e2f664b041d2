import type { CredentialId, TenantId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { SecretPlace, StoredVersion } from './vault.ts';

/** One version of a secret. */
export interface VersionListing {
  readonly versionId: string;
  /** E.g. `AWSCURRENT`; none: the version is out of use, and Secrets Manager deletes it when it needs the room. */
  readonly labels: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** From where the label `AWSCURRENT` goes to where: whoever names a version that is no longer the current one is late. */
export interface Promotion {
  readonly to: string;
  readonly from: string;
}

/**
 * The versions of one tenant's secrets, as rotation moves them. Every operation may be repeated after a lost answer. All throw CordonError
 * ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED; there is no such secret or version: AWS_REFUSED.
 */
export interface RotationVault {
  /**
   * Stores `secret` as a version that nobody uses yet: it stands under `AWSPENDING`, which leaves the version that had it. Throws CONFLICT (retryable) when the
   * version is there with another secret, and CUSTOMER_KEY_REFUSED as `Vault.store` does.
   *
   * @param versionId 32 to 64 characters
   */
  stage(
    place: Pick<SecretPlace, 'tenantId' | 'credentialId' | 'provider' | 'kmsKeyArn' | 'customerKey'>,
    secret: SecretText,
    versionId: string,
  ): Promise<StoredVersion>;
  /**
   * Makes `to` the current version, takes `AWSPENDING` off it, and leaves `AWSPREVIOUS` on `from`. Throws CONFLICT (retryable) when another version than these two is
   * the current one: somebody else was faster. Also the way back: `from` the new version `to` the previous one.
   */
  promote(tenantId: TenantId, credentialId: CredentialId, promotion: Promotion): Promise<void>;
  /**
   * Takes every label off a version, so that it is out of use; does nothing when it has none, or there is no such version. Throws CONFLICT (retryable) for the current
   * one, which is left as it is. Its key must be dead at the provider before.
   */
  drop(tenantId: TenantId, credentialId: CredentialId, versionId: string): Promise<void>;
  /** As `drop`, of every labelled version that is neither the current one nor named: also what a worker left that was late. Answers what was dropped. */
  dropAllBut(tenantId: TenantId, credentialId: CredentialId, kept: readonly string[]): Promise<readonly string[]>;
  readVersion(tenantId: TenantId, credentialId: CredentialId, versionId: string): Promise<SecretText>;
  /** All that there are, oldest first, also those without a label. */
  versions(tenantId: TenantId, credentialId: CredentialId): Promise<readonly VersionListing[]>;
}
