import type { InjectedSecret } from '../providers/egress-adapter.ts';
import type { CredentialId, TenantId } from '../shared/identifiers.ts';

/** The reading half of the vault, in one session. */
export interface VaultReader {
  /**
   * Reads the very version that the registry names: what was staged meanwhile is not used before the registry says so.
   *
   * @throws CordonError SECRET_UNAVAILABLE (retryable) | ACCESS_REFUSED
   */
  read(tenantId: TenantId, credentialId: CredentialId, versionId: string): Promise<InjectedSecret>;
}
