import { z } from 'zod';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';
import { attemptOf, keyName, type Provider, type ProviderAccount } from './provider.ts';
import { createProviderHttp, type ProviderAnswer, type ProviderRequest, providerError } from './provider-http.ts';

/** Ids come back in our requests' paths, so they are held to what OpenAI's look like. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const project = z.object({ id, name: z.string(), status: z.string().optional() });
const serviceAccount = z.object({ id, name: z.string() });
const listedKey = z.object({ id, name: z.string().nullable().optional() });
const issuedKey = z.object({ id, name: z.string().nullable().optional(), value: z.string().min(1) });
const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), has_more: z.boolean(), last_id: z.string().nullable().optional() });

/** OpenAI gives at most 100 items a page; 1,000 pages are more projects than a cell has tenants. */
const pageSize = 100;
const maxPages = 1000;

export interface OpenAiDeps {
  /** e.g. `https://api.openai.com/v1` */
  readonly baseUrl: string;
  /** The organization's admin key. Asked for at each call, so that a changed one is taken up. */
  readonly adminKey: () => Promise<SecretText>;
  readonly fetchUrl?: typeof fetch;
}

/**
 * OpenAI: one project per tenant, one service account per credential, keys named by attempt.
 * Source: OpenAI API Reference, "Administration": projects, project service accounts, project API keys; "Models: list".
 */
export function createOpenAi(deps: OpenAiDeps): Provider {
  const send = createProviderHttp('openai', deps.baseUrl, deps.fetchUrl);

  async function admin<Schema extends z.ZodType>(
    doing: string,
    schema: Schema,
    request: Omit<ProviderRequest, 'bearer'>,
  ): Promise<z.infer<Schema>> {
    return parse(doing, schema, await send({ ...request, bearer: await deps.adminKey() }));
  }

  /** Walks a list until `wanted` says stop; collects what it keeps. */
  async function collect<Schema extends z.ZodType<{ id: string }>>(
    doing: string,
    schema: Schema,
    path: string,
    wanted: (item: z.infer<Schema>) => 'keep' | 'skip' | 'last',
  ): Promise<z.infer<Schema>[]> {
    const kept: z.infer<Schema>[] = [];
    let after = '';
    for (let count = 0; count < maxPages; count += 1) {
      const found = await admin(doing, page(schema), {
        method: 'GET',
        path: `${path}${path.includes('?') ? '&' : '?'}limit=${pageSize}${after}`,
      });
      for (const item of found.data) {
        const verdict = wanted(item);
        if (verdict !== 'skip') kept.push(item);
        if (verdict === 'last') return kept;
      }
      const last = found.data.at(-1);
      if (!found.has_more || last === undefined) return kept;
      after = `&after=${encodeURIComponent(last.id)}`;
    }
    throw new CordonError('PROVIDER_REFUSED', `openai has too many entries for ${doing}`);
  }

  /** Marked as Cordon's, so that a project that people made under a tenant's name is never taken for the tenant's. */
  const projectName = (tenantId: string): string => `cordon.${tenantId}`;

  async function findAccount(tenantId: string): Promise<ProviderAccount | undefined> {
    const [found] = await collect('finding the project', project, '/organization/projects', (item) =>
      item.name === projectName(tenantId) && item.status !== 'archived' ? 'last' : 'skip',
    );
    return found && { accountId: found.id };
  }

  async function ensureOwner(account: ProviderAccount, name: string, mayExist: boolean): Promise<string> {
    const path = `/organization/projects/${account.accountId}/service_accounts`;
    if (mayExist) {
      const [found] = await collect('finding the service account', serviceAccount, path, (item) => (item.name === name ? 'last' : 'skip'));
      if (found) return found.id;
    }
    // Without a key of its own: that one could not be given a name to be found by.
    const made = await admin('creating the service account', serviceAccount, {
      method: 'POST',
      path,
      body: { name, create_service_account_only: true },
    });
    return made.id;
  }

  async function validateKey(apiKey: SecretText): Promise<'valid' | 'refused'> {
    const answer = await send({ method: 'GET', path: '/models', bearer: apiKey });
    if (answer.status === 401) return 'refused';
    // 403 is a matter of scopes and 429 of limits: in both the key was recognized.
    if (answer.status < 300 || answer.status === 403 || answer.status === 429) return 'valid';
    throw providerError('openai', 'validating the key', answer);
  }

  return {
    name: 'openai',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'key' },

    findAccount,

    async ensureAccount(tenantId, mayExist) {
      const found = mayExist ? await findAccount(tenantId) : undefined;
      if (found) return found;
      const made = await admin('creating the project', project, {
        method: 'POST',
        path: '/organization/projects',
        body: { name: projectName(tenantId) },
      });
      return { accountId: made.id };
    },

    async createKey(account, { tenantId, credentialId, attempt, mayExist }) {
      const ownerId = await ensureOwner(account, `${tenantId}.${credentialId}`, mayExist);
      const name = keyName(tenantId, credentialId, attempt);
      const path = `/organization/projects/${account.accountId}/service_accounts/${ownerId}/api_keys`;
      const made = await admin('creating the key', issuedKey, { method: 'POST', path, body: { name } });
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

    validateKey,

    async revokeKey(account, keyId) {
      const path = `/organization/projects/${account.accountId}/api_keys/${encodeURIComponent(keyId)}`;
      const answer = await send({ method: 'DELETE', path, bearer: await deps.adminKey() });
      if (answer.status === 404 || answer.status < 300) return;
      throw providerError('openai', 'revoking the key', answer);
    },

    async confirmRevoked(apiKey) {
      return (await validateKey(apiKey)) === 'refused';
    },
  };
}

/** @throws CordonError PROVIDER_UNAVAILABLE for a success that is not what was asked for: it may be a proxy's, and the next answer the right one */
function parse<Schema extends z.ZodType>(doing: string, schema: Schema, answer: ProviderAnswer): z.infer<Schema> {
  if (answer.status < 200 || answer.status > 299) throw providerError('openai', doing, answer);
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw new CordonError('PROVIDER_UNAVAILABLE', `openai answered ${doing} in a form that is not known`, { retryable: true });
}
