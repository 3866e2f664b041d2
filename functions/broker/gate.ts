import { CordonError } from '../shared/errors.ts';
import type { CredentialId, TenantId, UserId } from '../shared/identifiers.ts';
import type { CredentialFacts } from './catalogue.ts';

/** Whose standing is asked for. */
export interface GateQuestion {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly credentialId: CredentialId;
  /** From verified claims: what a caller calls itself in a header is not looked up. */
  readonly agentId: string | undefined;
  readonly sessionId: string | undefined;
  /** Of a credential that is a customer's role. */
  readonly connectionId?: string | undefined;
  /** Of a backup: the credential in whose place it is asked for. Nothing is looked up for it. */
  readonly backupFor?: CredentialId | undefined;
}

export interface Standing {
  readonly status: string;
  /** Rises with every revocation. */
  readonly epoch: number;
}

export interface CredentialStanding extends Standing {
  readonly version: number;
  readonly secretVersionId: string | undefined;
  /** True while an emergency rotation has traffic led away from it, to a backup where there is one. */
  readonly diverted?: boolean | undefined;
  /** True when the version in force was revoked by itself, and the one that takes its place is not there yet. */
  readonly versionRevoked?: boolean | undefined;
}

/** How a connection to a customer's account stands; its role is known once it was verified. */
export interface ConnectionStanding extends Standing {
  /** Why it stands so, e.g. `ROLE_RECREATED`. */
  readonly reason: string | undefined;
  readonly roleArn: string | undefined;
  /** Of this very role and of none that is made in its name: `AROA…`. */
  readonly roleId: string | undefined;
  readonly externalId: string | undefined;
}

/** The role of an active connection, and the epoch under which it may be taken. */
export interface CustomerRole {
  /** The customer's AWS account ID. */
  readonly connectionId: string;
  readonly epoch: number;
  readonly roleArn: string;
  readonly roleId: string;
  readonly externalId: string;
}

/** What the registry says now; undefined where it has no item. */
export interface GateReading {
  readonly tenant: (Standing & { readonly rulesVersion: number }) | undefined;
  /** Its version rises when the user is given a credential. */
  readonly user: (Standing & { readonly version: number }) | undefined;
  readonly credential: CredentialStanding | undefined;
  readonly agentRevoked: boolean;
  readonly sessionRevoked: boolean;
  readonly connection?: ConnectionStanding | undefined;
}

/**
 * Asks the registry, strongly consistent and in one call: what was revoked before the call is refused, also in a warm environment.
 *
 * @throws CordonError GATE_UNAVAILABLE also when it answered in part; ACCESS_REFUSED
 */
export interface Gate {
  read(question: GateQuestion): Promise<GateReading>;
}

/** Under what a secret was read, and under what it may be used. */
export interface Epochs {
  readonly tenant: number;
  /** Of the credential's owner; -1 for a credential of the whole tenant, which every user may use and none's revocation spoils. */
  readonly user: number;
  readonly credential: number;
  /** The credential item's version: which of two readings is the later one. */
  readonly itemVersion: number;
  /** For a customer's role, the role's ID. */
  readonly secretVersionId: string;
  /** Only of a credential that is a customer's role. */
  readonly connection?: CustomerRole | undefined;
}

/**
 * Whether the call may be made. A missing item refuses like a revoked one.
 *
 * @throws CordonError TENANT_NOT_ACTIVE | USER_NOT_ACTIVE | AGENT_REVOKED | SESSION_REVOKED | CREDENTIAL_REVOKED | CREDENTIAL_NOT_ACTIVE | CONNECTION_NOT_ACTIVE
 */
export function admit(reading: GateReading, facts: Pick<CredentialFacts, 'source' | 'userId' | 'connectionId'>): Epochs {
  const { source, userId: owner } = facts;
  const { tenant, user, credential } = reading;
  if (tenant?.status !== 'active') throw new CordonError('TENANT_NOT_ACTIVE', 'The tenant is not active.');
  // Agents and workloads have no item and act for the tenant; who has one must be active, and a user's own credential is for an active user.
  if (user === undefined ? owner !== undefined : user.status !== 'active')
    throw new CordonError('USER_NOT_ACTIVE', 'The user is not active.');
  if (reading.agentRevoked) throw new CordonError('AGENT_REVOKED', 'The agent was revoked.');
  if (reading.sessionRevoked) throw new CordonError('SESSION_REVOKED', 'The session was revoked.');
  if (credential?.status === 'revoked' || credential?.versionRevoked)
    throw new CordonError('CREDENTIAL_REVOKED', 'The credential for this call was revoked.');
  // Nothing is stored for a federated credential or a customer's role: being recorded is all it can be.
  const isStored = source !== 'federated' && source !== 'customer-role';
  if (credential === undefined || (credential.status !== 'active' && (isStored || credential.status !== 'recorded'))) {
    throw new CordonError(
      'CREDENTIAL_NOT_ACTIVE',
      'The credential for this call is not ready for use: it has to be handed over or provisioned first.',
    );
  }
  if (credential.secretVersionId === undefined && isStored) {
    throw new CordonError('CREDENTIAL_NOT_ACTIVE', 'The credential for this call has no stored version.');
  }
  const connection = source === 'customer-role' ? connected(facts.connectionId, reading.connection) : undefined;
  return {
    tenant: tenant.epoch,
    user: owner === undefined ? -1 : (user?.epoch ?? -1),
    credential: credential.epoch,
    itemVersion: credential.version,
    secretVersionId: connection?.roleId ?? credential.secretVersionId ?? source,
    connection,
  };
}

/** True when something was revoked between these two: a credential that is active again is another one than before. */
export function isRevokedSince(before: Epochs, now: Epochs): boolean {
  return (
    now.tenant > before.tenant ||
    now.user > before.user ||
    now.credential > before.credential ||
    (now.connection?.epoch ?? -1) > (before.connection?.epoch ?? -1)
  );
}

/** The role of a connection that is proven now. One that is not, for whatever reason, is used in no way. */
function connected(connectionId: string | undefined, standing: ConnectionStanding | undefined): CustomerRole {
  const { status, reason, epoch, roleArn, roleId, externalId } = standing ?? {};
  if (status !== 'active' || connectionId === undefined || epoch === undefined || !roleArn || !roleId || !externalId) {
    const account = connectionId === undefined ? 'an AWS account' : `AWS account ${connectionId}`;
    const how = status === undefined ? 'not there' : status === 'active' ? 'incomplete' : status;
    throw new CordonError(
      'CONNECTION_NOT_ACTIVE',
      `The connection to ${account} is ${how}${reason === undefined ? '' : ` (${reason})`}, so the call was not made: see GET /v1/connections.`,
    );
  }
  return { connectionId, epoch, roleArn, roleId, externalId };
}
