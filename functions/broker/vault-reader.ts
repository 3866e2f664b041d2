import type { InjectedSecret } from '../providers/egress-adapter.ts';
import type { CredentialId, TenantId } from '../shared/identifiers.ts';

/** The reading half of the vault, in one session. */
export interface VaultReader {
  /**
   * Reads the very version that the registry names: what was staged meanwhile is not used before the registry says so.
   *
   * @param customerKeyArn the key of the customer's own account that the secret lies under, if it does: what goes wrong with that key is the customer's doing
   * @throws CordonError SECRET_UNAVAILABLE (retryable) | ACCESS_REFUSED | CUSTOMER_KEY_REFUSED
   */
  read(tenantId: TenantId, credentialId: CredentialId, versionId: string, customerKeyArn?: string): Promise<InjectedSecret>;
}
