import { z } from 'zod';
import { attemptOf, type Provider } from '../provider.ts';
import { collectPages, createProviderAdmin, createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { createKeyCheck } from './key-check.ts';
import { noCreation } from './no-creation.ts';

/** IDs come back in our requests' paths. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const listedKey = z.object({ id, name: z.string(), status: z.string() });
const keyPage = z.object({ data: z.array(listedKey), has_more: z.boolean() });

const account = { accountId: 'anthropic' };
const headers = (key: string): Record<string, string> => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' });

/**
 * Anthropic: keys are made by people in its Console; the administration lists them and switches them off. The admin secret is an organization's admin key. Of a customer's own organization
 * Cordon has none: there the customer retires the key.
 * Source: Claude API reference, Admin API, "List API Keys", "Update API Key"; "Models: list".
 */
export function createAnthropic(deps: AdminDeps): Provider {
  const send = createProviderHttp('anthropic', deps.baseUrl ?? 'https://api.anthropic.com', deps.fetchUrl);
  const admin = createProviderAdmin('anthropic', send, async () => headers((await deps.adminKey()).reveal()));
  return {
    name: 'anthropic',
    capabilities: { createKey: false, revoke: 'disable', rotation: 'customer-next', usage: 'key' },
    findAccount: async () => account,
    ...noCreation('anthropic'),

    async listKeys(_account, tenantId, credentialId) {
      const doing = 'listing keys';
      const keys = await collectPages<z.infer<typeof listedKey>, string>(
        'anthropic',
        doing,
        async (after) => {
          const path = `/v1/organizations/api_keys?limit=1000&status=active${after === undefined ? '' : `&after_id=${encodeURIComponent(after)}`}`;
          const page = await admin.ask(doing, keyPage, { method: 'GET', path });
          return { items: page.data, next: page.has_more ? page.data.at(-1)?.id : undefined };
        },
        (key) => (key.status !== 'active' || attemptOf(key.name, tenantId, credentialId) === undefined ? 'skip' : 'keep'),
      );
      return keys.map((key) => ({ keyId: key.id, name: key.name }));
    },

    async revokeKey(_account, keyId) {
      const path = `/v1/organizations/api_keys/${encodeURIComponent(keyId)}`;
      await admin.find('revoking the key', z.object({ id }), { method: 'POST', path, body: { status: 'inactive' } });
    },

    ...createKeyCheck('anthropic', (apiKey) => send({ method: 'GET', path: '/v1/models?limit=1', headers: headers(apiKey.reveal()) })),
  };
}
