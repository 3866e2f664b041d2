import { z } from 'zod';
import { CordonError } from '../../shared/errors.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { attemptOf, keyName, type Provider, type ProviderAccount } from '../provider.ts';
import { collectPages, createProviderAdmin, createProviderHttp } from '../provider-http.ts';
import type { AdminDeps } from './admin-deps.ts';
import { bearer, createKeyCheck } from './key-check.ts';

/** Ids come back in our requests' paths and bodies; Mistral's are UUIDs. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const workspace = z.object({ uuid: id, name: z.string() });
const workspacePage = z.object({ items: z.array(workspace), total: z.int() });
const userPage = z.object({ items: z.array(z.object({ uuid: id, role_names: z.array(z.string()) })), total: z.int() });
const listedKey = z.object({ key_id: id, name: z.string().nullable(), workspace_id: z.string().nullable().optional() });
const keyPage = z.object({ keys: z.array(listedKey) });
const issuedKey = z.object({ key_id: id, key: z.string().min(1) });

const pageSize = 100;

/**
 * Mistral: one workspace per tenant, keys named by credential and attempt. The admin secret is an Admin API key made in the Backoffice, sent as `x-api-key`.
 * Source: Mistral docs, "Beta Admin Api Keys Endpoints", "Beta Admin Workspaces Endpoints", "Authentication and Admin API keys".
 */
export function createMistral(deps: AdminDeps): Provider {
  const send = createProviderHttp('mistral', deps.baseUrl ?? 'https://api.mistral.ai/v1', deps.fetchUrl);
  const sendAdmin = createProviderHttp('mistral', deps.adminBaseUrl ?? 'https://console.mistral.ai/api/admin', deps.fetchUrl);
  const admin = createProviderAdmin('mistral', sendAdmin, async () => ({ 'x-api-key': (await deps.adminKey()).reveal() }));

  /** Marked as Cordon's, so that a workspace that people made under a tenant's name is never taken for the tenant's. */
  const workspaceName = (tenantId: string): string => `cordon.${tenantId}`;

  async function findAccount(tenantId: string): Promise<ProviderAccount | undefined> {
    const name = workspaceName(tenantId);
    const doing = 'finding the workspace';
    const [found] = await collectPages(
      'mistral',
      doing,
      numberedPages((query) =>
        admin.ask(doing, workspacePage, { method: 'GET', path: `/workspaces?search=${encodeURIComponent(name)}&${query}` }),
      ),
      // The search also finds names that only contain what is looked for.
      (item) => (item.name === name ? 'last' : 'skip'),
    );
    return found && { accountId: found.uuid };
  }

  /** A workspace has to be some person's: an administrator of the organization's. */
  async function findAdministrator(): Promise<string> {
    const doing = 'finding an administrator';
    const [found] = await collectPages(
      'mistral',
      doing,
      numberedPages((query) => admin.ask(doing, userPage, { method: 'GET', path: `/users?${query}` })),
      (user) => (user.role_names.includes('organization_admin') ? 'last' : 'skip'),
    );
    if (found) return found.uuid;
    throw new CordonError('PROVIDER_REFUSED', 'the organization at mistral has no administrator whom a workspace could belong to');
  }

  return {
    name: 'mistral',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'workspace' },
    findAccount,

    async ensureAccount(tenantId, mayExist) {
      const found = mayExist ? await findAccount(tenantId) : undefined;
      if (found) return found;
      const body = { name: workspaceName(tenantId), admin_user_id: await findAdministrator() };
      const made = await admin.ask('creating the workspace', workspace, { method: 'POST', path: '/workspaces', body });
      return { accountId: made.uuid };
    },

    async createKey(account, { tenantId, credentialId, attempt, stillWanted }) {
      const name = keyName(tenantId, credentialId, attempt);
      const body = { name, workspace_uuid: account.accountId };
      const made = await admin.ask('creating the key', issuedKey, { method: 'POST', path: '/api-keys', body, stillWanted });
      return { keyId: made.key_id, name, ownerId: account.accountId, apiKey: new SecretText(made.key) };
    },

    async listKeys(account, tenantId, credentialId) {
      const doing = 'listing keys';
      const keys = await collectPages<z.infer<typeof listedKey>, number>(
        'mistral',
        doing,
        async (offset = 0) => {
          const found = await admin.ask(doing, keyPage, { method: 'GET', path: `/api-keys?limit=${pageSize}&offset=${offset}` });
          return { items: found.keys, next: found.keys.length < pageSize ? undefined : offset + found.keys.length };
        },
        // The list is the whole organization's.
        (key) =>
          attemptOf(key.name ?? '', tenantId, credentialId) === undefined || (key.workspace_id ?? account.accountId) !== account.accountId
            ? 'skip'
            : 'keep',
      );
      return keys.map((key) => ({ keyId: key.key_id, name: key.name ?? '' }));
    },

    revokeKey: (_account, keyId) => admin.remove('revoking the key', `/api-keys/${encodeURIComponent(keyId)}`),

    ...createKeyCheck('mistral', (apiKey) => send({ method: 'GET', path: '/models', headers: bearer(apiKey) })),
  };
}

/** Pages that are counted from 1. @param ask takes the part of the query that names the page */
function numberedPages<Item>(ask: (query: string) => Promise<{ items: readonly Item[]; total: number }>) {
  return async (number = 1): Promise<{ items: readonly Item[]; next: number | undefined }> => {
    const { items, total } = await ask(`page_size=${pageSize}&page=${number}`);
    return { items, next: number * pageSize < total ? number + 1 : undefined };
  };
}
