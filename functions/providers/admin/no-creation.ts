import { CordonError } from '../../shared/errors.ts';
import type { Provider } from '../provider.ts';

/** The creating half of a provider whose keys are made by people only. */
export function noCreation(provider: string): Pick<Provider, 'ensureAccount' | 'createKey'> {
  const refuse = async (): Promise<never> => {
    throw new CordonError('PROVIDER_REFUSED', `${provider} has no interface that makes keys: its customers hand them over`);
  };
  return { ensureAccount: refuse, createKey: refuse };
}
