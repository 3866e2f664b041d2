import type { CredentialId, TenantId, UserId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';

/** The names under which versions of a secret stand. Source: Secrets Manager User Guide, "Secret versions". */
export type StagingLabel = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS';

/** Whose secrets: a dedicated tenant's lie behind its own writer role, a user's own behind a session that names the user. */
export interface VaultOwner {
  readonly tenantId: TenantId;
  readonly tier: 'pool' | 'dedicated';
  readonly userId?: UserId | undefined;
}

/** Where a secret lies and what marks it as its owner's: IAM compares path and tags with the session's. */
export interface SecretPlace {
  readonly tenantId: TenantId;
  readonly credentialId: CredentialId;
  readonly provider: string;
  readonly tier: 'pool' | 'dedicated';
  readonly environment: string;
  readonly userId?: UserId | undefined;
  readonly team?: string | undefined;
  readonly useCase?: string | undefined;
  /** The key of all pool tenants, the dedicated tenant's own, or one of the customer's account. Always named: the account's default key is no second wall. */
  readonly kmsKeyArn: string;
  /** True when the key is in the customer's account: what goes wrong with it is the customer's to put right. */
  readonly customerKey?: boolean;
}

export interface StoredVersion {
  readonly secretArn: string;
  readonly versionId: string;
}

export interface SecretDescription {
  readonly secretArn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly kmsKeyArn: string | undefined;
  /** Version IDs with their labels; versions without a label are left out. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
}

/**
 * The tenant's secrets, as far as the session behind it may. Every operation throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED.
 */
export interface Vault {
  /**
   * Stores `secret` as the current version, in a new secret or, if the secret is there from an earlier attempt, as its next version. Throws CUSTOMER_KEY_REFUSED
   * besides when the customer's key cannot be used; then nothing is stored.
   *
   * @param versionId 32 to 64 characters; the same ID with the same secret is stored once, however often it is asked
   */
  store(place: SecretPlace, secret: SecretText, versionId: string): Promise<StoredVersion>;
  /** Undefined when there is no such secret, or it is deleted. */
  describe(tenantId: TenantId, credentialId: CredentialId): Promise<SecretDescription | undefined>;
  /** The stored secret; `AWSCURRENT` unless a label is named. */
  read(tenantId: TenantId, credentialId: CredentialId, label?: StagingLabel): Promise<{ secret: SecretText; versionId: string }>;
  /** Deletes the secret at once and for good; does nothing when there is none. Its key must be dead at the provider before. */
  remove(tenantId: TenantId, credentialId: CredentialId): Promise<void>;
}

/** Under which name a secret stands in the stored JSON: one that is forwarded as a key can never be mistaken for one that is not, and the other way round. */
export function secretMember(provider: string): 'apiKey' | 'connectionString' {
  return provider === 'postgres' ? 'connectionString' : 'apiKey';
}

/** `cordon/{tenantId}/{credentialId}`: the path that IAM and KMS compare. */
export function secretName(tenantId: TenantId, credentialId: CredentialId): string {
  return `cordon/${tenantId}/${credentialId}`;
}
