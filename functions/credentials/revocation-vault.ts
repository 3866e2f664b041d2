import type { CredentialId, TenantId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { VersionListing } from './rotation-vault.ts';

/**
 * The secret of a revoked credential, on its way out. Every operation may be repeated after a lost answer. All throw CordonError ACCESS_REFUSED | AWS_UNAVAILABLE |
 * AWS_REFUSED, and CONFLICT (retryable) when somebody else moves labels at the same time.
 *
 * ACCESS_REFUSED may also mean that there is no such secret: IAM compares the tag of a secret, and one that is not there has none.
 */
export interface RevocationVault {
  /** All versions that hold a key, oldest first, those without a label too; undefined when there is no such secret, or it is about to be deleted. */
  versions(tenantId: TenantId, credentialId: CredentialId): Promise<readonly VersionListing[] | undefined>;
  /** Undefined when the version is not there any more. Throws CUSTOMER_KEY_REFUSED when the KMS key that it lies under cannot be used. */
  readVersion(tenantId: TenantId, credentialId: CredentialId, versionId: string): Promise<SecretText | undefined>;
  /**
   * Takes versions out of use: whoever reads the secret without naming a version gets no key. They stay readable by their ID until the secret is deleted.
   *
   * `AWSCURRENT` can be moved, not taken away (Secrets Manager API Reference, UpdateSecretVersionStage), so it goes to a version that holds no key. Versions that are out of
   * use keep a label of their own, or Secrets Manager could delete them while the provider is still to be asked about them (User Guide, "Secret versions").
   *
   * @param versionIds those that are known: another one is left with a label, to be found by it
   * @param customerKey true when the secret lies under a key of the customer's own account. When that cannot be used, the current version stays where it is: nobody can read
   *   it either
   */
  takeOut(
    tenantId: TenantId,
    credentialId: CredentialId,
    out: { readonly versionIds: readonly string[]; readonly customerKey: boolean },
  ): Promise<void>;
  /**
   * Has the secret deleted at the end of its recovery window: from now on nobody reads it. It can be seen to be so, which `erase` cannot: a secret that is gone and one
   * that IAM refuses are answered alike.
   */
  close(tenantId: TenantId, credentialId: CredentialId): Promise<void>;
  /** Deletes the secret at once and for good; does nothing when there is none. */
  erase(tenantId: TenantId, credentialId: CredentialId): Promise<void>;
}
