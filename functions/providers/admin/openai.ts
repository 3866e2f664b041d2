import { z } from 'zod';
import { SecretText } from '../../shared/secret-text.ts';
import { attemptOf, keyName, type Provider, type ProviderAccount, type StillWanted } from '../provider.ts';
import { collectPages, createProviderAdmin, createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { bearer, createKeyCheck } from './key-check.ts';

/** Ids come back in our requests' paths, so they are held to what OpenAI's look like. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const project = z.object({ id, name: z.string(), status: z.string().optional() });
const serviceAccount = z.object({ id, name: z.string() });
const listedKey = z.object({ id, name: z.string().nullable().optional() });
const issuedKey = z.object({ id, name: z.string().nullable().optional(), value: z.string().min(1) });
const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), has_more: z.boolean(), last_id: z.string().nullable().optional() });

/** OpenAI gives at most 100 items a page. */
const pageSize = 100;

/**
 * OpenAI: one project per tenant, one service account per credential, keys named by attempt. The admin secret is the organization's admin key.
 * Source: OpenAI API Reference, "Administration": projects, project service accounts, project API keys; "Models: list".
 */
export function createOpenAi(deps: AdminDeps): Provider {
  const send = createProviderHttp('openai', deps.baseUrl ?? 'https://api.openai.com/v1', deps.fetchUrl);
  const admin = createProviderAdmin('openai', send, async () => bearer(await deps.adminKey()));

  /** Walks a list until `wanted` says stop; collects what it keeps. */
  function collect<Schema extends z.ZodType<{ id: string }>>(
    doing: string,
    schema: Schema,
    path: string,
    wanted: (item: z.infer<Schema>) => 'keep' | 'skip' | 'last',
  ): Promise<z.infer<Schema>[]> {
    const first = `${path}${path.includes('?') ? '&' : '?'}limit=${pageSize}`;
    return collectPages<z.infer<Schema>, string>(
      'openai',
      doing,
      async (after) => {
        const asked = after === undefined ? first : `${first}&after=${encodeURIComponent(after)}`;
        const found = await admin.ask(doing, page(schema), { method: 'GET', path: asked });
        return { items: found.data, next: found.has_more ? found.data.at(-1)?.id : undefined };
      },
      wanted,
    );
  }

  /** Marked as Cordon's, so that a project that people made under a tenant's name is never taken for the tenant's. */
  const projectName = (tenantId: string): string => `cordon.${tenantId}`;

  async function findAccount(tenantId: string): Promise<ProviderAccount | undefined> {
    const [found] = await collect('finding the project', project, '/organization/projects', (item) =>
      item.name === projectName(tenantId) && item.status !== 'archived' ? 'last' : 'skip',
    );
    return found && { accountId: found.id };
  }

  async function ensureOwner(account: ProviderAccount, name: string, mayExist: boolean, stillWanted?: StillWanted): Promise<string> {
    const path = `/organization/projects/${account.accountId}/service_accounts`;
    if (mayExist) {
      const [found] = await collect('finding the service account', serviceAccount, path, (item) => (item.name === name ? 'last' : 'skip'));
      if (found) return found.id;
    }
    // Without a key of its own: that one could not be given a name to be found by.
    const made = await admin.ask('creating the service account', serviceAccount, {
      method: 'POST',
      path,
      body: { name, create_service_account_only: true },
      stillWanted,
    });
    return made.id;
  }

  return {
    name: 'openai',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'key' },
    findAccount,

    async ensureAccount(tenantId, mayExist) {
      const found = mayExist ? await findAccount(tenantId) : undefined;
      if (found) return found;
      const made = await admin.ask('creating the project', project, {
        method: 'POST',
        path: '/organization/projects',
        body: { name: projectName(tenantId) },
      });
      return { accountId: made.id };
    },

    async createKey(account, { tenantId, credentialId, attempt, mayExist, stillWanted }) {
      const ownerId = await ensureOwner(account, `${tenantId}.${credentialId}`, mayExist, stillWanted);
      const name = keyName(tenantId, credentialId, attempt);
      const path = `/organization/projects/${account.accountId}/service_accounts/${ownerId}/api_keys`;
      const made = await admin.ask('creating the key', issuedKey, { method: 'POST', path, body: { name }, stillWanted });
      return { keyId: made.id, name, ownerId, apiKey: new SecretText(made.value) };
    },

    async listKeys(account, tenantId, credentialId) {
      // Without `owner_project_access=any` the list may leave out enabled keys.
      const path = `/organization/projects/${account.accountId}/api_keys?owner_project_access=any`;
      const keys = await collect('listing keys', listedKey, path, (key) =>
        attemptOf(key.name ?? '', tenantId, credentialId) === undefined ? 'skip' : 'keep',
      );
      return keys.map((key) => ({ keyId: key.id, name: key.name ?? '' }));
    },

    revokeKey: (account, keyId, stillWanted) =>
      admin.remove('revoking the key', `/organization/projects/${account.accountId}/api_keys/${encodeURIComponent(keyId)}`, stillWanted),

    ...createKeyCheck('openai', (apiKey) => send({ method: 'GET', path: '/models', headers: bearer(apiKey) })),
  };
}
