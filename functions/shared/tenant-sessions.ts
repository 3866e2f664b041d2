import type { Clock } from './clock.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { TenantId, UserId } from './identifiers.ts';
import type { SecretText } from './secret-text.ts';

/** Temporary credentials of one tenant session. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: SecretText;
  readonly sessionToken: SecretText;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface SessionRequest {
  readonly roleArn: string;
  readonly tenantId: TenantId;
  readonly userId?: UserId | undefined;
  /** A dedicated tenant's own role carries the tenant as role tag and admits no other session tag than `UserId`; a shared role needs the tag. */
  readonly role: 'shared' | 'own';
}

/** Assumes a role. `assume-role.sts.ts` does it with STS. */
export type AssumeRole = (request: {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly durationSeconds: number;
}) => Promise<SessionCredentials>;

export interface TenantSessions {
  (request: SessionRequest): Promise<SessionCredentials>;
  /**
   * Hands out none of the tenant's sessions any more that was asked for before `mintedBefore` (milliseconds since the epoch): of those, one may have been cut off since
   * (`functions/revocation/cut-off`), and the next one works.
   */
  forget(tenantId: TenantId, mintedBefore: number): void;
}

/** STS's minimum, and as long as a session of Cordon ever is. */
export const sessionSeconds = 900;
/** Sessions are handed out until this long before they end, so that a call under way does not outlive its session. */
const marginMs = 120_000;

/**
 * Mints tenant sessions and keeps them per role, tenant and user until two minutes before they end: STS allows 600 calls/s per account, so
 * a session per call is no option. The key holds everything that the session's rights depend on, so no tenant ever gets another's.
 */
export function createTenantSessions(deps: { assume: AssumeRole; clock: Clock; capacity: number }): TenantSessions {
  const cache = createExpiringCache<SessionCredentials>({ clock: deps.clock, capacity: deps.capacity, marginMs });
  const sessions = (request: SessionRequest): Promise<SessionCredentials> => {
    const sessionName = sessionNameOf(request.tenantId, request.userId);
    return cache.get(`${request.tenantId}|${request.roleArn}|${request.role}|${sessionName}`, async () => {
      const tags = {
        ...(request.role === 'shared' && { TenantId: request.tenantId }),
        ...(request.userId !== undefined && { UserId: request.userId }),
      };
      const credentials = await deps.assume({ roleArn: request.roleArn, sessionName, tags, durationSeconds: sessionSeconds });
      return { value: credentials, expiresAt: credentials.expiresAt };
    });
  };
  const forget = (tenantId: TenantId, mintedBefore: number): void => cache.forget((key) => key.startsWith(`${tenantId}|`), mintedBefore);
  return Object.assign(sessions, { forget });
}

/**
 * `{tenantId}.{userId}` or `{tenantId}`: what CloudTrail shows. No tenant ID holds a dot, so no two sessions share a name. STS wants two characters at least
 * (STS API Reference, AssumeRole), so an ID of one gets the dot too.
 */
function sessionNameOf(tenantId: TenantId, userId: UserId | undefined): string {
  if (userId !== undefined) return `${tenantId}.${userId}`;
  return tenantId.length < 2 ? `${tenantId}.` : tenantId;
}
