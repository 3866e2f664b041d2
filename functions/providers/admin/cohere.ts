import { cohereVerdict } from '../key-verdict.ts';
import type { Provider } from '../provider.ts';
import { createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { bearer, createKeyCheck } from './key-check.ts';
import { noCreation } from './no-creation.ts';

const account = { accountId: 'cohere' };

/**
 * Cohere: has no administration of keys at all; a key can only be tried. Nothing is listed and nothing is revoked: who made the key deletes it.
 * Source: Cohere API reference, "Check API key".
 */
export function createCohere(deps: Omit<AdminDeps, 'adminKey' | 'adminBaseUrl'>): Provider {
  const send = createProviderHttp('cohere', deps.baseUrl ?? 'https://api.cohere.com', deps.fetchUrl);
  return {
    name: 'cohere',
    capabilities: { createKey: false, revoke: 'none', rotation: 'customer-next', usage: 'none' },
    findAccount: async () => account,
    ...noCreation('cohere'),
    listKeys: async () => [],
    revokeKey: async () => undefined,
    ...createKeyCheck(
      'cohere',
      (apiKey) => send({ method: 'POST', path: '/v1/check-api-key', headers: bearer(apiKey), body: {} }),
      cohereVerdict,
    ),
  };
}
