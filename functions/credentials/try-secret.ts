import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { parseConnectionString } from './connection-string.ts';
import type { DoorDeps } from './door-deps.ts';
import { notAccepted, type SuppliedText } from './open-secret.ts';
import { secretMember } from './vault.ts';

/** The secret, if it is of the kind that the credential's provider takes. Throws CordonError SUPPLY_REFUSED. */
export function fitting(provider: string, { member, text }: SuppliedText): SecretText {
  const wanted = secretMember(provider);
  if (member !== wanted) throw notAccepted(`a credential for ${provider} takes {${wanted}}`);
  return text;
}

/** What the attribution calls trying a secret of this provider. */
export const tryOperation = (provider: string): string => (provider === 'postgres' ? 'database.connect' : 'provider.validate-key');

/**
 * Tries a secret where it is for: a key at its provider, a connection string by connecting.
 *
 * @returns what is to be stored of it
 * @throws CordonError KEY_REFUSED: it is not accepted there; PROVIDER_REFUSED: nobody vouches for it; PROVIDER_UNAVAILABLE | DATABASE_UNAVAILABLE (retryable)
 */
export async function trySecret(
  deps: Pick<DoorDeps, 'validateKey' | 'checkDatabase' | 'allowLoopback'>,
  { provider, settings = {} }: Pick<CredentialItem, 'provider' | 'settings'>,
  secret: SecretText,
): Promise<SecretText> {
  if (provider === 'postgres') {
    const { address, text } = parseConnectionString(secret, deps);
    await deps.checkDatabase(address);
    return text;
  }
  const verdict = await deps.validateKey(provider, settings, secret);
  if (verdict === 'valid') return secret;
  // What nobody vouches for is not stored.
  if (verdict === 'unknown') throw new CordonError('PROVIDER_REFUSED', `${provider} answered nothing about the key`);
  throw new CordonError(
    'KEY_REFUSED',
    `${provider} does not accept the key: nothing was stored; check it and seal it again with a fresh nonce`,
  );
}
