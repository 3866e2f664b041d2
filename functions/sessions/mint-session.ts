import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId, UserId } from '../shared/identifiers.ts';
import { type SessionCredentials, sessionSeconds, type TenantSessions } from '../shared/tenant-sessions.ts';
import type { Tier } from '../tenants/credential-spec.ts';
import type { Registry, TenantItem } from '../tenants/registry.ts';
import type { VerifiedToken, VerifyToken } from './token-verifier.ts';

export interface MintDeps {
  readonly verify: VerifyToken;
  readonly clock: Clock;
  readonly sessions: TenantSessions;
  /** The tenant's registry, read in the tenant's own session. */
  openRegistry(tenantId: TenantId): Promise<Pick<Registry, 'tenant' | 'user' | 'isBuried'>>;
  readonly readerRoleArn: string;
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  readonly dedicatedRoleArnPrefix: string;
}

export interface MintRequest {
  readonly token: string;
  /** `user`: the session may also read the user's own secrets. */
  readonly as: 'tenant' | 'user';
  /** None that was minted a while ago will do: the caller's was refused, and may have been cut off. */
  readonly fresh: boolean;
  /** The agent and the session that the token names may not be revoked either. The broker asks about them itself, at each use. */
  readonly unrevoked: boolean;
}

export interface MintedSession extends VerifiedToken {
  readonly tier: Tier;
  readonly credentials: SessionCredentials;
}

/**
 * What counts as fresh, in milliseconds. Whoever is refused time and again has no more than one session minted for it in that time, however often it asks: STS allows
 * 600 calls/s per account, for all tenants. Cutting off has no finer grain either.
 */
const freshMs = 1000;
/** STS names ends in whole seconds. */
const secondMs = 1000;

/**
 * Mints a tenant session for whoever the token says it is: tenant and user come from verified claims and from nothing else. The tenant is looked up at each call,
 * so that one that is no longer active gets no more sessions.
 *
 * @throws CordonError TOKEN_REFUSED | TENANT_UNKNOWN | TENANT_NOT_ACTIVE | TENANT_OFFBOARDED | USER_UNKNOWN | ITEM_NOT_UNDERSTOOD |
 *   ACCESS_REFUSED: refusals, all one to the caller;
 *   PROVIDER_UNAVAILABLE | AWS_UNAVAILABLE: not now
 */
export async function mintSession(deps: MintDeps, request: MintRequest): Promise<MintedSession> {
  const claims = await deps.verify(request.token);
  const { tenantId } = claims;
  if (request.fresh) deps.sessions.forget(tenantId, deps.clock() - freshMs);
  const registry = await deps.openRegistry(tenantId);
  const readAt = deps.clock();
  const { tier } = await activeTenant(registry, claims, request);
  const userId: UserId | undefined = request.as === 'user' ? claims.userId : undefined;
  const credentials =
    tier === 'dedicated'
      ? await deps.sessions({ roleArn: `${deps.dedicatedRoleArnPrefix}${tenantId}`, tenantId, userId, role: 'own' })
      : await deps.sessions({ roleArn: deps.readerRoleArn, tenantId, userId, role: 'shared' });
  // A revocation that was written since cuts off what was issued before it, and this session is younger: it would live on. A pool tenant's own is the one that was read in.
  const isYounger = credentials.expiresAt - sessionSeconds * secondMs > readAt - secondMs;
  if (isYounger && (tier === 'dedicated' || userId !== undefined)) await activeTenant(registry, claims, request);
  return { ...saidOf(claims), tier, credentials };
}

/** @throws CordonError TENANT_UNKNOWN | TENANT_OFFBOARDED | TENANT_NOT_ACTIVE | USER_UNKNOWN, and as reading */
async function activeTenant(
  registry: Pick<Registry, 'tenant' | 'user' | 'isBuried'>,
  { tenantId, userId, agentId, sessionId }: VerifiedToken,
  { as, unrevoked }: Pick<MintRequest, 'as' | 'unrevoked'>,
): Promise<TenantItem> {
  const [tenant, user] = await Promise.all([registry.tenant(tenantId), registry.user(tenantId, userId)]);
  if (!tenant) throw new CordonError('TENANT_UNKNOWN', 'the tenant is not onboarded');
  if (tenant.status === 'offboarded') throw new CordonError('TENANT_OFFBOARDED', 'the tenant was offboarded');
  if (tenant.status !== 'active') throw new CordonError('TENANT_NOT_ACTIVE', `the tenant is ${tenant.status}`);
  // Not every caller is a user with an item: agents and workloads act for the tenant. But who was a user and is one no more gets nothing.
  if (user ? user.status !== 'active' : as === 'user')
    throw new CordonError('USER_UNKNOWN', 'the user is not an active user of the tenant');
  const named = { ...(user === undefined && { userId }), ...(unrevoked && { agentId, sessionId }) };
  if (await registry.isBuried(tenantId, named)) throw new CordonError('TOKEN_REFUSED', 'the user, the agent or the session was revoked');
  return tenant;
}

/** What is passed on of a token, by name: whatever else a verifier knows stays here. */
function saidOf({ tenantId, userId, agentId, sessionId, role }: VerifiedToken): VerifiedToken {
  return {
    tenantId,
    userId,
    ...(agentId !== undefined && { agentId }),
    ...(sessionId !== undefined && { sessionId }),
    ...(role !== undefined && { role }),
  };
}
