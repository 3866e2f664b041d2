import type { SecretText } from '../../shared/secret-text.ts';
import { type JudgedAnswer, type KeyVerdict, verdictOf } from '../key-verdict.ts';
import type { Provider, ProviderAccount } from '../provider.ts';
import { type ProviderAnswer, providerError } from '../provider-http.ts';

/**
 * The half of a provider that asks with a tenant's key.
 *
 * @param ask makes a call that costs nothing and changes nothing
 * @param verdict the provider's own rule where it says it otherwise than by 401
 */
export function createKeyCheck(
  provider: string,
  ask: (apiKey: SecretText, account: ProviderAccount | undefined) => Promise<ProviderAnswer>,
  verdict?: (answer: JudgedAnswer) => KeyVerdict | undefined,
): Pick<Provider, 'validateKey' | 'confirmRevoked'> {
  const validateKey: Provider['validateKey'] = async (apiKey, account) => {
    const answer = await ask(apiKey, account);
    const found = verdict?.(answer) ?? verdictOf(answer);
    if (found === 'valid' || found === 'refused') return found;
    throw providerError(provider, 'validating the key', answer);
  };
  return { validateKey, confirmRevoked: async (apiKey, account) => (await validateKey(apiKey, account)) === 'refused' };
}

export function bearer(key: SecretText): Record<string, string> {
  return { authorization: `Bearer ${key.reveal()}` };
}
