import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { CordonError } from '../../shared/errors.ts';
import { SecretText } from '../../shared/secret-text.ts';
import {
  attemptOf,
  type CreatedKey,
  type KeySlot,
  keyName,
  keySlots,
  type Provider,
  type ProviderAccount,
  type StillWanted,
} from '../provider.ts';
import { createProviderAdmin, createProviderHttp, type ProviderAdmin } from '../provider-http.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { AdminDeps } from './admin-deps.ts';
import { parseAdminSecret } from './admin-secret.ts';
import { bearer, createKeyCheck } from './key-check.ts';

/** What becomes part of a path or a host name is held to that place's alphabet. */
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
const adminSecret = z.object({
  tenantId: uuid,
  clientId: uuid,
  clientSecret: z.string().min(1),
  subscriptionId: uuid,
  resourceGroup: z.string().regex(/^[\w().-]{0,89}[\w()-]$/),
  resourcePrefix: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,29}$/)
    .default('cordon-'),
});
type AdminSecret = z.infer<typeof adminSecret>;

const resource = z.object({ name: z.string(), tags: z.record(z.string(), z.string()).nullish() });
const keys = z.object({ key1: z.string().min(1), key2: z.string().min(1) });

const apiVersion = '2025-09-01';
/** Which credential a resource's two keys are of, and which attempt at it changed one last: a key's name. */
const ownerTag = 'cordon-key';
type SlotRequest = Parameters<NonNullable<Provider['regenerateSlot']>>[2];

export interface AzureOpenAiDeps extends AdminDeps {
  /** Where Entra ID gives out tokens. The documented host when left out. */
  readonly tokenUrl?: string | undefined;
  readonly clock: Clock;
}

/**
 * Azure OpenAI: one resource per tenant, named `{resourcePrefix}{tenantId}` (also its custom subdomain) and made by the platform together with the deployments of models that the
 * tenant may use. It has two keys, so it carries one credential, which Cordon writes into the resource's tag `cordon-key`: a second one would need the slots of the first.
 *
 * The admin secret is `{"tenantId", "clientId", "clientSecret", "subscriptionId", "resourceGroup", "resourcePrefix"?}`: an application of Entra ID that may read and tag these
 * resources and regenerate their keys ("Cognitive Services Contributor" on the resource group).
 * Source: Azure REST API, Cognitive Services, "Accounts - Get", "- Update", "- Regenerate Key"; Microsoft identity platform, "client credentials flow".
 */
export function createAzureOpenAi(deps: AzureOpenAiDeps): Provider {
  const sendAdmin = createProviderHttp('azure-openai', deps.adminBaseUrl ?? 'https://management.azure.com', deps.fetchUrl);
  const tokens = createAccessTokens('azure-openai', deps);
  const tokenHost = (deps.tokenUrl ?? 'https://login.microsoftonline.com').replace(/\/+$/, '');

  const readSecret = async (): Promise<AdminSecret> => parseAdminSecret('azure-openai', adminSecret, await deps.adminKey());

  /** The administration of one resource. */
  async function open(name: (secret: AdminSecret) => string): Promise<{ admin: ProviderAdmin; name: string; at(action?: string): string }> {
    const secret = await readSecret();
    const { tenantId, clientId, clientSecret, subscriptionId, resourceGroup } = secret;
    const identity = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://management.azure.com/.default',
    };
    const endpoint = `${tokenHost}/${tenantId}/oauth2/v2.0/token`;
    const admin = createProviderAdmin('azure-openai', sendAdmin, async () =>
      bearer(await tokens({ endpoint, identity }, async () => new URLSearchParams(identity))),
    );
    const of = `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
    const path = `${of}/providers/Microsoft.CognitiveServices/accounts/${encodeURIComponent(name(secret))}`;
    return { admin, name: name(secret), at: (action = '') => `${path}${action}?api-version=${apiVersion}` };
  }
  const openAccount = ({ accountId }: ProviderAccount) => open(() => accountId);

  async function findAccount(tenantId: string): Promise<ProviderAccount | undefined> {
    const { admin, name, at } = await open(({ resourcePrefix }) => `${resourcePrefix}${tenantId}`);
    const found = await admin.find('finding the resource', resource, { method: 'GET', path: at() });
    return found && { accountId: name };
  }

  async function regenerate(account: ProviderAccount, slot: KeySlot, stillWanted?: StillWanted): Promise<SecretText> {
    const { admin, at } = await openAccount(account);
    const request = { method: 'POST' as const, path: at('/regenerateKey'), body: { keyName: slot }, stillWanted };
    const { key1, key2 } = await admin.ask(`renewing ${slot}`, keys, request);
    return new SecretText(slot === 'Key1' ? key1 : key2);
  }

  /**
   * Writes onto the resource for which attempt at which credential its keys are about to change.
   *
   * @throws CordonError PROVIDER_REFUSED when they are another credential's; CONFLICT when a later attempt is at it, whose key this one would kill
   */
  async function claim(account: ProviderAccount, { tenantId, credentialId, attempt, stillWanted }: SlotRequest): Promise<void> {
    const { admin, at } = await openAccount(account);
    const { tags } = await admin.ask('reading the resource', resource, { method: 'GET', path: at() });
    const name = keyName(tenantId, credentialId, attempt);
    const owner = tags?.[ownerTag];
    const latest = owner === undefined ? 0 : attemptOf(owner, tenantId, credentialId);
    if (latest === undefined)
      throw new CordonError(
        'PROVIDER_REFUSED',
        `the two keys of azure-openai resource ${account.accountId} are another credential's; if that is gone, remove the tag ${ownerTag}`,
      );
    if (latest > attempt) throw new CordonError('CONFLICT', `a later attempt for ${credentialId} is at work`, { retryable: true });
    if (owner === name) return;
    const body = { tags: { ...tags, [ownerTag]: name } };
    await admin.ask('tagging the resource', resource, { method: 'PATCH', path: at(), body, stillWanted });
  }

  const slotOf = (keyId: string): KeySlot => {
    const slot = keySlots.find((name) => name === keyId);
    if (slot === undefined) throw new CordonError('PROVIDER_REFUSED', `azure-openai has no key ${JSON.stringify(keyId)}`);
    return slot;
  };

  async function created(account: ProviderAccount, slot: KeySlot, request: SlotRequest): Promise<CreatedKey> {
    await claim(account, request);
    const { tenantId, credentialId, attempt } = request;
    const apiKey = await regenerate(account, slot, request.stillWanted);
    return { keyId: slot, name: keyName(tenantId, credentialId, attempt), ownerId: account.accountId, apiKey };
  }

  return {
    name: 'azure-openai',
    capabilities: { createKey: true, revoke: 'regenerate', rotation: 'two-slot', usage: 'none' },
    findAccount,

    async ensureAccount(tenantId) {
      const found = await findAccount(tenantId);
      if (found) return found;
      const { resourcePrefix, resourceGroup } = await readSecret();
      const name = `${resourcePrefix}${tenantId}`;
      throw new CordonError('PROVIDER_REFUSED', `there is no azure-openai resource ${name} in ${resourceGroup}: make it first`);
    },

    async createKey(account, request) {
      const key = await created(account, 'Key1', request);
      await regenerate(account, 'Key2', request.stillWanted);
      return key;
    },

    regenerateSlot: created,

    async listKeys(account, tenantId, credentialId) {
      const { admin, at } = await openAccount(account);
      const { tags } = await admin.ask('reading the resource', resource, { method: 'GET', path: at() });
      const name = tags?.[ownerTag] ?? '';
      return attemptOf(name, tenantId, credentialId) === undefined ? [] : keySlots.map((slot) => ({ keyId: slot, name }));
    },

    async revokeKey(account, keyId, stillWanted) {
      await regenerate(account, slotOf(keyId), stillWanted);
    },

    ...createKeyCheck('azure-openai', (apiKey, account) => {
      if (account === undefined && deps.baseUrl === undefined)
        throw new CordonError('PROVIDER_REFUSED', 'an azure-openai key can be tried at its own resource only');
      const host = deps.baseUrl ?? `https://${account?.accountId}.openai.azure.com`;
      const send = createProviderHttp('azure-openai', host, deps.fetchUrl);
      return send({ method: 'GET', path: '/openai/models?api-version=2024-10-21', headers: { 'api-key': apiKey.reveal() } });
    }),
  };
}
