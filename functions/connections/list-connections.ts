import type { VerifiedIdentity } from '../sessions/token-verifier.ts';
import type { ConnectionStatus, ConnectionsAnswer, ListedConnection, ListedCredential } from './connections-answer.ts';
import { rotationOf, versionsOf } from './credential-versions.ts';
import type { LastUsed } from './last-used.ts';
import { mayChange } from './may-change.ts';
import type { KnownConnection, KnownCredential, OpenedTenant } from './tenant-view.ts';

/** Where a customer makes the role that a connection asks for. */
export interface RoleLinks {
  readonly quickCreateUrl: string;
  readonly templateUrl: string;
}

export interface ListDeps {
  readonly lastUsed: LastUsed;
  /** Undefined until the template of that version has been published. The link holds the external ID. */
  readonly linksOf: (tenantId: string, connection: KnownConnection) => RoleLinks | undefined;
}

/** While the role is to be made or mended. Once it works, and once nobody wants it, the external ID is nobody's business. */
const offered: ReadonlySet<ConnectionStatus> = new Set(['pending', 'rejected', 'suspended', 'expired']);
/** Queries at a time. */
const abreast = 8;

/**
 * What the tenant has connected. Of users' own credentials it shows the caller's alone, as the door does; the link with the external ID only to callers who may connect.
 *
 * @throws CordonError as `TenantView`
 */
export async function listConnections(
  deps: ListDeps,
  caller: Pick<VerifiedIdentity, 'userId' | 'role'>,
  { tenantId, view }: OpenedTenant,
): Promise<ConnectionsAnswer> {
  const [connections, all] = await Promise.all([view.connections(), view.credentials()]);
  const credentials = all.filter(({ userId }) => userId === undefined || userId === caller.userId);
  const uses = new Map<string, string | undefined>();
  const queue = [...credentials];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      uses.set(next.credentialId, await deps.lastUsed(tenantId, view, next));
  };
  await Promise.all(Array.from({ length: abreast }, work));
  const allowed = mayChange(caller);
  return {
    tenantId,
    mayChange: allowed,
    connections: connections.map((connection) => ({
      ...shownOf(connection),
      ...(allowed && offered.has(connection.status) && deps.linksOf(tenantId, connection)),
      lastUsedAt: newest(
        credentials.filter(({ connectionId }) => connectionId === connection.customerAccountId).map((one) => uses.get(one.credentialId)),
      ),
    })),
    credentials: credentials.map((credential) => ({ ...credentialOf(credential), lastUsedAt: uses.get(credential.credentialId) })),
  };
}

/** By name: whatever else the item holds, the external ID first of all, stays here. */
function shownOf(connection: KnownConnection): ListedConnection {
  const { customerAccountId, status, services, regions, environment, dataClasses, roleName, roleArn, findings } = connection;
  const reason = connection.statusReason;
  return {
    ...{ customerAccountId, status, services, regions, environment, dataClasses, roleName, roleArn },
    reason: reason && { code: reason.code, message: reason.message, nextStep: reason.nextStep },
    findings: findings.map(({ code, message }) => ({ code, message })),
    requestedUntil: timeOf(connection.requestedUntil),
    verifiedAt: connection.verifiedAt === undefined ? undefined : timeOf(connection.verifiedAt),
    probedAt: connection.probedAt === undefined ? undefined : timeOf(connection.probedAt),
  };
}

function credentialOf(credential: KnownCredential): ListedCredential {
  const { credentialId, provider, source, status, environment, userId, connectionId } = credential;
  const own = { credentialId, provider, source, status, environment, userId, connectionId };
  return { ...own, versions: versionsOf(credential), rotation: rotationOf(credential) };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** ISO 8601 in UTC sorts by time. */
function newest(times: readonly (string | undefined)[]): string | undefined {
  return times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
}
