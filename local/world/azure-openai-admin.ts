/**
 * Azure Resource Manager for Azure OpenAI resources: they are made, read and deleted there, and each has exactly two keys, which can only be replaced. Sources:
 * Azure REST API reference, Cognitive Services "Accounts" (Create, Get, Update, List By Resource Group, Delete, List Keys, Regenerate Key; 2025-09-01); "Azure
 * Resource Manager common error codes", "Throttling".
 *
 * Actions for faults: `POST /login/{id}/oauth2/v2.0/token`, and below `/management/subscriptions/{id}/resourceGroups/{id}/providers/
 * Microsoft.CognitiveServices/accounts`: `GET`, `GET|PUT|PATCH|DELETE …/{id}`, `POST …/{id}/listKeys`, `POST …/{id}/regenerateKey`. The admin secret is JSON
 * `{tenantId, clientId, clientSecret, subscriptionId, resourceGroup}`. Keys have the names `{account}/Key1` and `{account}/Key2`.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Administration, AdministrationDeps } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn } from './simulator.ts';
import { createEntraTokens } from './token-endpoints.ts';

const slots = ['Key1', 'Key2'] as const;
type Slot = (typeof slots)[number];

interface Account {
  readonly name: string;
  readonly location: string;
  readonly sku: object;
  tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, unknown>>;
  /** IDs of the keys. */
  readonly keys: Record<Slot, string>;
  readonly createdAt: number;
  pollsLeft: number;
}

const accountName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/;
const accountBody = z.looseObject({
  kind: z.literal('OpenAI'),
  location: z.string().min(1),
  sku: z.looseObject({ name: z.string() }),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.looseObject({ customSubDomainName: z.string().optional() }).default({}),
});
const updateBody = z.looseObject({ tags: z.record(z.string(), z.string()).optional() });
const regenerateBody = z.object({ keyName: z.enum(slots) });
const operationMs = 10_000;

const codes: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'InvalidAuthenticationToken',
  403: 'AuthorizationFailed',
  404: 'ResourceNotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
};

function error(
  status: number,
  code = codes[status] ?? 'InternalServerError',
  message = 'The request was refused.',
  retryAfter = 1,
): Answer {
  return jsonAnswer(status, { error: { code, message } }, status === 429 ? { 'retry-after': String(retryAfter) } : {});
}

const newKey = (): string => randomBytes(42).toString('hex');

export function createAzureAdministration({ clock, keys, how }: AdministrationDeps): Administration {
  const subscriptionId = randomUUID();
  const resourceGroup = 'cordon';
  const entra = createEntraTokens(clock);
  const accounts = new Map<string, Account>();

  const fill = (name: string, slot: Slot): string => keys.create({ name: `${name}/${slot}`, owner: name, secret: newKey() }).key.id;
  const keysOf = (account: Account): object => ({ key1: keys.secretOf(account.keys.Key1), key2: keys.secretOf(account.keys.Key2) });
  const isReady = (account: Account): boolean => account.pollsLeft <= 0 || clock.now() >= account.createdAt + operationMs;
  const view = (account: Account): object => ({
    id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.CognitiveServices/accounts/${account.name}`,
    name: account.name,
    type: 'Microsoft.CognitiveServices/accounts',
    kind: 'OpenAI',
    location: account.location,
    sku: account.sku,
    tags: account.tags,
    properties: {
      ...account.properties,
      endpoint: `https://${account.properties['customSubDomainName'] ?? account.name}.openai.azure.com/`,
      provisioningState: isReady(account) ? 'Succeeded' : 'Creating',
    },
  });
  const put = (values: Pick<Account, 'name' | 'location' | 'sku' | 'tags' | 'properties'>, pendingPolls: number): Account => {
    const existing = accounts.get(values.name);
    const account = {
      ...values,
      keys: existing?.keys ?? { Key1: fill(values.name, 'Key1'), Key2: fill(values.name, 'Key2') },
      createdAt: existing?.createdAt ?? clock.now(),
      pollsLeft: existing?.pollsLeft ?? pendingPolls,
    };
    accounts.set(values.name, account);
    return account;
  };
  const poll = (account: Account): void => {
    account.pollsLeft -= 1;
  };

  type OnGroup = (request: SimulatedRequest, name: string) => Answer;
  /** What every path has in common: a version, this subscription, this resource group. */
  const inGroup =
    (run: OnGroup) =>
    ([subscription, group, name = '']: readonly string[], request: SimulatedRequest): Answer => {
      if (!request.query.has('api-version'))
        return error(400, 'MissingApiVersionParameter', 'The api-version query parameter (?api-version=) is required for all requests.');
      if (subscription !== subscriptionId)
        return error(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`);
      if (group?.toLowerCase() !== resourceGroup)
        return error(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
      return run(request, name.toLowerCase());
    };
  const onAccount = (run: (account: Account, request: SimulatedRequest) => Answer) =>
    inGroup((request, name) => {
      const account = accounts.get(name);
      return account === undefined
        ? error(404, 'ResourceNotFound', `The Resource 'accounts/${name}' was not found.`)
        : run(account, request);
    });
  const whenReady = (run: (account: Account, request: SimulatedRequest) => Answer) =>
    onAccount((account, request) =>
      isReady(account)
        ? run(account, request)
        : error(409, 'AccountProvisioningStateInvalid', `Account ${account.name} in state Creating.`),
    );

  const below = '/management/subscriptions/{id}/resourceGroups/{id}/providers/Microsoft.CognitiveServices/accounts';
  return {
    basePath: '/management',
    open: { 'POST /login/{id}/oauth2/v2.0/token': (ids, request) => entra.exchange(request, ids) },
    routes: {
      [`GET ${below}`]: inGroup(() => jsonAnswer(200, { value: [...accounts.values()].map(view) })),
      [`GET ${below}/{id}`]: onAccount((account) => {
        const answer = jsonAnswer(200, view(account));
        poll(account);
        return answer;
      }),
      [`PUT ${below}/{id}`]: inGroup(({ body }, name) => {
        const parsed = accountBody.safeParse(body);
        if (!parsed.success || !accountName.test(name)) return error(400, 'InvalidRequestContent', 'The request content was invalid.');
        const { location, sku, tags, properties } = parsed.data;
        const existing = accounts.get(name);
        const { maxKeys, pendingPolls = 0 } = how();
        if (existing === undefined && maxKeys !== undefined && accounts.size * slots.length >= maxKeys)
          return error(400, 'InsufficientQuota', 'The subscription has no quota for another resource.');
        const account = put({ name, location, sku, tags, properties }, pendingPolls);
        return jsonAnswer(existing === undefined ? 201 : 200, view(account));
      }),
      [`PATCH ${below}/{id}`]: onAccount((account, { body }) => {
        const parsed = updateBody.safeParse(body ?? {});
        if (!parsed.success) return error(400, 'InvalidRequestContent', 'The request content was invalid.');
        account.tags = parsed.data.tags ?? account.tags;
        return jsonAnswer(200, view(account));
      }),
      [`DELETE ${below}/{id}`]: onAccount((account) => {
        for (const slot of slots) keys.setStatus(account.keys[slot], 'deleted');
        accounts.delete(account.name);
        return { status: 200, headers: {}, pieces: [] };
      }),
      [`POST ${below}/{id}/listKeys`]: whenReady((account) => jsonAnswer(200, keysOf(account))),
      [`POST ${below}/{id}/regenerateKey`]: whenReady((account, { body }) => {
        const parsed = regenerateBody.safeParse(body);
        if (!parsed.success) return error(400, 'InvalidRequestContent', "'keyName' must be one of Key1, Key2.");
        const { keyName } = parsed.data;
        keys.setStatus(account.keys[keyName], 'deleted');
        account.keys[keyName] = fill(account.name, keyName);
        return jsonAnswer(200, keysOf(account));
      }),
    },
    makeAccount(given) {
      const name = given.toLowerCase();
      if (!accounts.has(name))
        put({ name, location: 'swedencentral', sku: { name: 'S0' }, tags: {}, properties: { customSubDomainName: name } }, 0);
    },
    presented: bearerIn,
    refusal: (token) => (entra.accepts(token) ? undefined : error(401, 'InvalidAuthenticationToken', 'The access token is invalid.')),
    error: (status, retryAfter) => error(status, undefined, undefined, retryAfter),
    adminSecret: () => JSON.stringify({ ...entra.client, subscriptionId, resourceGroup }),
    plantedSecrets: () => entra.plantedSecrets(),
  };
}
