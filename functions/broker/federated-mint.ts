import { egressAdapterOf } from '../providers/egress-adapters.ts';
import type { FederatedTokens, IdentityToken } from '../providers/federation.ts';
import { CordonError } from '../shared/errors.ts';
import type { MintToken } from './obtain-secret.ts';
import type { TenantSession } from './tenant-session.ts';

/** Exchanges the tenant's identity for a provider's token. Tokens are kept per credential and epochs: one obtained before a revocation is not found after it. */
export function createFederatedMint(deps: {
  readonly tokens: FederatedTokens;
  readonly session: Pick<TenantSession, 'tenantId' | 'tier'>;
  readonly identityToken: IdentityToken;
}): MintToken {
  const { tenantId, tier } = deps.session;
  return async (credential, epochs) => {
    const { credentialId, settings } = credential;
    const provider = egressAdapterOf(credential.provider)?.provider;
    // The shared role speaks for every pool tenant alike: a provider could not tell them apart.
    if (tier !== 'dedicated' || provider === undefined)
      throw new CordonError('EGRESS_NOT_CONFIGURED', 'A federated credential needs a dedicated tenant.');
    const key = [tenantId, credentialId, epochs.tenant, epochs.user, epochs.credential].join('|');
    return deps.tokens.get(key, { provider, settings, identityToken: deps.identityToken });
  };
}
