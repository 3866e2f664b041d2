import { z } from 'zod';
import { SecretText } from '../../shared/secret-text.ts';
import { attemptOf, keyName, type Provider } from '../provider.ts';
import { collectPages, createProviderAdmin, createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { bearer, createKeyCheck } from './key-check.ts';

/** A key's ID is the hash of its value; it comes back in our requests' paths. */
const hash = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const listedKey = z.object({ hash, name: z.string() });
const keyPage = z.object({ data: z.array(listedKey) });
const issuedKey = z.object({ key: z.string().min(1), data: listedKey });

/** The page is of a fixed size, and nothing says whether another follows. */
const pageSize = 100;
/** There is nothing to make for a tenant: every key has usage and limits of its own, in one account. */
const account = { accountId: 'openrouter' };

/**
 * OpenRouter: keys named by tenant, credential and attempt, all in the platform's account. The admin secret is a management key.
 * Source: OpenRouter docs, "Management API Keys"; API reference, "API Keys" and "Get current API key".
 */
export function createOpenRouter(deps: AdminDeps): Provider {
  const send = createProviderHttp('openrouter', deps.baseUrl ?? 'https://openrouter.ai/api/v1', deps.fetchUrl);
  const admin = createProviderAdmin('openrouter', send, async () => bearer(await deps.adminKey()));
  return {
    name: 'openrouter',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'key' },
    findAccount: async () => account,
    ensureAccount: async () => account,

    async createKey(_account, { tenantId, credentialId, attempt, stillWanted }) {
      const name = keyName(tenantId, credentialId, attempt);
      const made = await admin.ask('creating the key', issuedKey, { method: 'POST', path: '/keys', body: { name }, stillWanted });
      return { keyId: made.data.hash, name, ownerId: account.accountId, apiKey: new SecretText(made.key) };
    },

    async listKeys(_account, tenantId, credentialId) {
      const doing = 'listing keys';
      const keys = await collectPages<z.infer<typeof listedKey>, number>(
        'openrouter',
        doing,
        async (offset = 0) => {
          // A disabled key can be enabled again: it is a live one.
          const path = `/keys?include_disabled=true&offset=${offset}`;
          const { data } = await admin.ask(doing, keyPage, { method: 'GET', path });
          return { items: data, next: data.length < pageSize ? undefined : offset + data.length };
        },
        (key) => (attemptOf(key.name, tenantId, credentialId) === undefined ? 'skip' : 'keep'),
      );
      return keys.map((key) => ({ keyId: key.hash, name: key.name }));
    },

    revokeKey: (_account, keyId) => admin.remove('revoking the key', `/keys/${encodeURIComponent(keyId)}`),

    // The list of models is public; this is the key's own page.
    ...createKeyCheck('openrouter', (apiKey) => send({ method: 'GET', path: '/key', headers: bearer(apiKey) })),
  };
}
