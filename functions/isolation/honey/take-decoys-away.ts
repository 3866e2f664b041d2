import { CordonError } from '../../shared/errors.ts';
import type { CredentialId, TenantId } from '../../shared/identifiers.ts';
import type { SecretText } from '../../shared/secret-text.ts';
import { decoysOf } from './decoys.ts';

/**
 * Deletes the secrets of a tenant's decoys, those that are there. They are no credentials: nothing was ever at a provider, nothing is said of them, and no certificate counts them.
 *
 * @throws CordonError as `remove`
 */
export async function takeDecoysAway(
  key: SecretText,
  tenantId: TenantId,
  remove: (credentialId: CredentialId) => Promise<void>,
): Promise<void> {
  for (const { credentialId } of decoysOf(key, tenantId)) {
    try {
      await remove(credentialId);
    } catch (error) {
      // What IAM answers when the secret is gone already: there is no tag to compare.
      if (!(error instanceof CordonError) || error.code !== 'ACCESS_REFUSED') throw error;
    }
  }
}
