import { readFileSync } from 'node:fs';
import type { ChangeDeps } from '../../functions/connections/change-connections.ts';
import { createLastUsed } from '../../functions/connections/last-used.ts';
import { createLinksOf } from '../../functions/connections/role-links.ts';
import { type ConnectionsHandler, createHandler } from '../../functions/connections/serve-connections.handler.ts';
import type { KnownConnection, KnownCredential } from '../../functions/connections/tenant-view.ts';
import type { VerifiedIdentity } from '../../functions/sessions/token-verifier.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { Log } from '../../functions/shared/log.ts';

const file = (name: string): string => readFileSync(new URL(`../../functions/connections/page/${name}`, import.meta.url), 'utf8');
const log: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => log };

export const [ann, ben] = [userIdOf('https://idp.example', 'ann'), userIdOf('https://idp.example', 'ben')];
/** Tokens that are accepted, as `tenant/person/role`. */
export const [admin, member, otherAdmin] = ['acme/ann/admin', 'acme/ben/member', 'acme-2/ann/admin'];
export const platformAccount = '111122223333';

export interface TenantData {
  connections: KnownConnection[];
  credentials: KnownCredential[];
  /** Credential and day, to when it was used. */
  readonly uses: Map<string, string>;
  readonly revoked: Set<string>;
}

/** The handler with everything around it held in memory, each tenant's data apart. */
export function createConnectionsWorld(script = '') {
  const tenants = new Map<string, TenantData>();
  const published: { type: string; detail: Record<string, unknown> }[] = [];
  const looked: string[] = [];
  /** What `sessions` was told that calls have named. */
  const named: { token: string; names: readonly string[] }[] = [];
  /** `sessionsReads`: the token that `sessions` makes of every other. */
  const state = {
    now: Date.parse('2026-11-21T12:00:00Z'),
    down: undefined as CordonError | undefined,
    sessionsReads: undefined as string | undefined,
    /** So often nothing can be told. */
    deaf: 0,
  };
  const dataOf = (id: string): TenantData => {
    const found = tenants.get(id) ?? { connections: [], credentials: [], uses: new Map<string, string>(), revoked: new Set<string>() };
    tenants.set(id, found);
    return found;
  };
  const publish: ChangeDeps['publish'] = async (type, detail) => {
    if (state.down) throw state.down;
    published.push({ type, detail });
    return `event-${published.length}`;
  };
  const handler: ConnectionsHandler = createHandler({
    log,
    verify: async (token) => identityOf(token),
    async openTenant(token) {
      if (state.down) throw state.down;
      const { tenantId, userId } = identityOf(state.sessionsReads ?? token);
      const data = dataOf(tenantId);
      return {
        tenantId,
        userId,
        view: {
          connections: async () => data.connections,
          connection: async (id) => data.connections.find(({ customerAccountId }) => customerAccountId === id),
          credentials: async () => data.credentials,
          isRevoked: async ({ agentId = '', sessionId = '' }) => data.revoked.has(agentId) || data.revoked.has(sessionId),
          async newestUse(credentialId, day) {
            looked.push(`${credentialId} ${day}`);
            return data.uses.get(`${credentialId} ${day}`);
          },
        },
      };
    },
    async reportNamed(token, names) {
      if (state.deaf-- > 0) throw new CordonError('SESSION_UNAVAILABLE', 'not now', { retryable: true });
      named.push({ token, names });
    },
    publish,
    platformAccountId: platformAccount,
    lastUsed: createLastUsed(() => state.now),
    linksOf: createLinksOf({
      region: 'us-east-1',
      bucket: 'cordon-templates',
      platformAccountId: platformAccount,
      connectorRoleArn: `arn:aws:iam::${platformAccount}:role/cordon/ByocConnector`,
    }),
    page: { html: file('page.html'), style: file('page.css'), script },
  });
  return { handler, dataOf, published, looked, named, state };
}
export type ConnectionsWorld = ReturnType<typeof createConnectionsWorld>;

/** `tenant/person/role`, and behind it the agent; anything else is no token. */
export function identityOf(token: string): VerifiedIdentity {
  const [tenant = '', subject = '', role = '', agentId] = token.split('/');
  const known = tenantId.safeParse(tenant);
  if (!known.success || subject === '' || tenant === 'stranger') throw new CordonError('TOKEN_REFUSED', 'the token is not known');
  const issuer = 'https://idp.example';
  return {
    tenantId: known.data,
    userId: userIdOf(issuer, subject),
    issuer,
    subject,
    role,
    expiresAt: Date.parse('2026-11-22T12:00:00Z') / 1000,
    ...(agentId && { agentId }),
  };
}

export function aConnection(change: Partial<KnownConnection> = {}): KnownConnection {
  return {
    customerAccountId: '444455556666',
    status: 'pending',
    services: ['bedrock'],
    regions: ['us-east-1'],
    environment: 'production',
    roleName: 'cordon.acme.abcdefgh',
    externalId: 'cordon-abcdefghijklmnopqrstuvwxyz234567',
    policyVersion: '0123456789abcdef',
    findings: [],
    requestedUntil: Date.parse('2026-11-22T12:00:00Z'),
    ...change,
  };
}

export function aCredential(id: string, change: Partial<KnownCredential> = {}): KnownCredential {
  return {
    credentialId: credentialId.parse(id),
    provider: 'openai',
    source: 'customer-supplied',
    status: 'active',
    environment: 'production',
    createdAt: '2026-11-01T00:00:00.000Z',
    ...change,
  };
}
