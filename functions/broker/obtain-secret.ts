import { type AwsScope, type InjectedSecret, secretTexts } from '../providers/egress-adapter.ts';
import { type CompiledSecrets, compileSecrets } from '../providers/scrubber.ts';
import type { TenantId, UserId } from '../shared/identifiers.ts';
import type { CredentialFacts } from './catalogue.ts';
import type { TakeCustomerRole } from './customer-session.ts';
import type { Epochs } from './gate.ts';
import type { SecretCache } from './secret-cache.ts';
import type { VaultReader } from './vault-reader.ts';

/** A secret ready for use, with what takes it out of answers. */
export interface ReadySecret {
  readonly injected: InjectedSecret;
  readonly compiled: CompiledSecrets;
}

/** A token that a provider gave for who the tenant is; the same object as long as it may be used, under these epochs and no others. */
export type MintToken = (credential: CredentialFacts, epochs: Epochs) => Promise<InjectedSecret>;

/**
 * The secret of an admitted credential: from memory if it was read under the same epochs, else from where it is kept. What comes from one place is never looked
 * for in another.
 *
 * @param scope the target's: what a customer's session is for
 * @throws CordonError SECRET_UNAVAILABLE | SESSION_UNAVAILABLE | CUSTOMER_ROLE_REFUSED | CUSTOMER_KEY_REFUSED | ACCESS_REFUSED, or what minting throws
 */
export type ObtainSecret = (credential: CredentialFacts, epochs: Epochs, scope?: AwsScope) => Promise<ReadySecret>;

export function createObtainSecret(deps: {
  readonly tenantId: TenantId;
  readonly cache: SecretCache<ReadySecret>;
  /** In the tenant's session. */
  readonly vault: VaultReader;
  /** In the session of the user who owns the credential. */
  readonly vaultOf: (userId: UserId) => Promise<VaultReader>;
  readonly mintToken: MintToken;
  readonly takeCustomerRole: TakeCustomerRole;
}): ObtainSecret {
  const minted = new WeakMap<InjectedSecret, ReadySecret>();
  return async (credential, epochs, scope) => {
    const { credentialId, userId, source } = credential;
    if (source === 'federated' || source === 'customer-role') {
      const injected =
        source === 'federated' ? await deps.mintToken(credential, epochs) : await deps.takeCustomerRole(credential, epochs, scope);
      const known = minted.get(injected) ?? ready(injected);
      minted.set(injected, known);
      return known;
    }
    const known = deps.cache.get(credentialId, epochs);
    if (known !== undefined) return known;
    const vault = userId === undefined ? deps.vault : await deps.vaultOf(userId);
    const secret = ready(await vault.read(deps.tenantId, credentialId, epochs.secretVersionId, credential.settings.kmsKeyArn));
    deps.cache.fill(credentialId, epochs, secret);
    return secret;
  };
}

function ready(injected: InjectedSecret): ReadySecret {
  return { injected, compiled: compileSecrets(secretTexts(injected)) };
}
