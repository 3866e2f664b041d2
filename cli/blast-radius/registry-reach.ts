/** The blast radius of what is a tenant's: a key at a provider, a user's token, an agent's. Pure: from the registry's items, and from what IAM allows a session for a user. */
import type { Connection } from '../../functions/byoc/connection.ts';
import type { CredentialId, UserId } from '../../functions/shared/identifiers.ts';
import type { CredentialItem, TenantItem, UserItem } from '../../functions/tenants/registry.ts';
import { type BlastRadius, summary } from './blast-radius.ts';
import type { Row } from './reach.ts';

/** What the registry knows of the tenant. */
export interface TenantFacts {
  readonly tenant: TenantItem | undefined;
  readonly credentials: readonly CredentialItem[];
  readonly connections: readonly Connection[];
}

const row = (thing: string, verb: string, through: string, tenants: Row['tenants'] = 'one'): Row => ({
  thing,
  verbs: [verb],
  actions: [],
  tenants,
  through,
  asks: [],
});

/**
 * @param sharing other tenants that are kept in the same account at the provider, by the registry: there is to be none
 */
export function credentialReach(credential: CredentialItem, facts: TenantFacts, sharing: readonly string[]): BlastRadius {
  const { credentialId, status, ending } = credential;
  const over = status === 'revoked' && ending?.phase === 'ended';
  return summary('credential', credentialId, over ? [] : [...keyRows(credential, facts, sharing), ...neighbourRows(credential, facts)]);
}

/** The account at the provider in which Cordon makes this credential's keys; undefined when it makes none, or has not yet. */
export function accountOf({ provider, source }: CredentialItem, { tenant }: Pick<TenantFacts, 'tenant'>): string | undefined {
  return source === 'platform-issued' ? tenant?.accounts[provider]?.accountId : undefined;
}

function keyRows(credential: CredentialItem, facts: TenantFacts, sharing: readonly string[]): Row[] {
  const { credentialId, provider, source, connectionId } = credential;
  const through = `key of ${credentialId}`;
  const account = accountOf(credential, facts);
  switch (source) {
    case 'platform-issued':
      return [
        row(`the tenant’s account at ${provider}${account === undefined ? '' : ` (${account})`}`, 'use', through),
        ...sharing.map((other) => row(`${other}, kept in the same account at ${provider}`, 'use', through, 'all')),
      ];
    case 'customer-supplied':
      return [row(`whatever the customer lets this key do at ${provider}`, 'use', through)];
    case 'federated':
      return [row(`what ${provider} gives the tenant’s own role; no key is stored`, 'use', `role of the tenant`)];
    case 'customer-role': {
      const services = facts.connections.find(({ customerAccountId }) => customerAccountId === connectionId)?.services ?? [];
      return [
        row(`${services.join(', ')} in the customer’s account ${connectionId ?? ''}, as far as the customer’s role allows`, 'use', through),
      ];
    }
  }
}

/** Whoever has a key of an account uses up what all keys of that account may use. */
function neighbourRows(credential: CredentialItem, facts: TenantFacts): Row[] {
  const account = accountOf(credential, facts);
  if (account === undefined) return [];
  return facts.credentials
    .filter(
      (one) => one.credentialId !== credential.credentialId && one.provider === credential.provider && accountOf(one, facts) === account,
    )
    .map((one) => row(`limits of ${one.credentialId}, in the same account`, 'use up', `key of ${credential.credentialId}`));
}

/**
 * @param user its item; undefined for one who acts by a token and has none
 * @param session what IAM allows a session for one user
 */
export function userReach(userId: UserId, user: UserItem | undefined, facts: TenantFacts, session: readonly Row[]): BlastRadius {
  if (isOut(facts.tenant) || isOut(user)) return summary('user', userId, []);
  return summary('user', userId, [...tokenRows(usable(facts, userId)), ...heldByPlatform(session)]);
}

/** An agent acts in the name of whichever user its token names, so every user's own credentials count. */
export function agentReach(agentId: string, facts: TenantFacts, session: readonly Row[]): BlastRadius {
  if (isOut(facts.tenant)) return summary('agent', agentId, []);
  return summary('agent', agentId, [...tokenRows(usable(facts, 'any')), ...heldByPlatform(session)]);
}

const isOut = (item: { readonly status: string } | undefined): boolean => item?.status === 'suspended' || item?.status === 'offboarded';

function usable({ credentials, connections }: TenantFacts, userId: UserId | 'any'): { readonly id: CredentialId; readonly what: string }[] {
  return credentials
    .filter((one) => userId === 'any' || one.userId === undefined || one.userId === userId)
    .filter(({ status, source, connectionId }) =>
      source === 'customer-role'
        ? connections.some((one) => one.customerAccountId === connectionId && one.status === 'active')
        : status === 'active' || (source === 'federated' && status === 'recorded'),
    )
    .map(({ credentialId, provider, environment, userId: owner }) => ({
      id: credentialId,
      what: `${provider}, ${environment}${owner === undefined ? '' : ', a user’s own'}`,
    }));
}

function tokenRows(credentials: readonly { readonly id: CredentialId; readonly what: string }[]): Row[] {
  return [
    ...credentials.map(({ id, what }) => row(`${id} (${what})`, 'use', 'broker')),
    row('attribution of the tenant', 'read', 'API'),
    row('connections of the tenant', 'read', 'API'),
    row('connections, credentials and revocations of the tenant, if the token’s role is admin', 'change', 'API'),
  ];
}

/** IAM's own bound, for the case that the platform's code is not what it should be. */
const heldByPlatform = (session: readonly Row[]): Row[] =>
  session.map((one) => ({ ...one, through: `${one.through} (a session that the broker holds, and no caller gets)` }));
