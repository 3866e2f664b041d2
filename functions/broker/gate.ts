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
}

export interface Standing {
  readonly status: string;
  /** Rises with every revocation. */
  readonly epoch: number;
}

/** What the registry says now; undefined where it has no item. */
export interface GateReading {
  readonly tenant: (Standing & { readonly rulesVersion: number }) | undefined;
  /** Its version rises when the user is given a credential. */
  readonly user: (Standing & { readonly version: number }) | undefined;
  readonly credential: (Standing & { readonly version: number; readonly secretVersionId: string | undefined }) | undefined;
  readonly agentRevoked: boolean;
  readonly sessionRevoked: boolean;
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
  readonly secretVersionId: string;
}

/**
 * Whether the call may be made. A missing item refuses like a revoked one.
 *
 * @throws CordonError TENANT_NOT_ACTIVE | USER_NOT_ACTIVE | AGENT_REVOKED | SESSION_REVOKED | CREDENTIAL_REVOKED | CREDENTIAL_NOT_ACTIVE
 */
export function admit(reading: GateReading, { source, userId: owner }: Pick<CredentialFacts, 'source' | 'userId'>): Epochs {
  const { tenant, user, credential } = reading;
  if (tenant?.status !== 'active') throw new CordonError('TENANT_NOT_ACTIVE', 'The tenant is not active.');
  // Agents and workloads have no item and act for the tenant; who has one must be active, and a user's own credential is for an active user.
  if (user === undefined ? owner !== undefined : user.status !== 'active')
    throw new CordonError('USER_NOT_ACTIVE', 'The user is not active.');
  if (reading.agentRevoked) throw new CordonError('AGENT_REVOKED', 'The agent was revoked.');
  if (reading.sessionRevoked) throw new CordonError('SESSION_REVOKED', 'The session was revoked.');
  if (credential?.status === 'revoked') throw new CordonError('CREDENTIAL_REVOKED', 'The credential for this call was revoked.');
  // Nothing is stored for a federated credential: being recorded is all it can be.
  const usable = source === 'federated' ? ['active', 'recorded'] : ['active'];
  if (credential === undefined || !usable.includes(credential.status)) {
    throw new CordonError(
      'CREDENTIAL_NOT_ACTIVE',
      'The credential for this call is not ready for use: it has to be handed over or provisioned first.',
    );
  }
  if (credential.secretVersionId === undefined && source !== 'federated') {
    throw new CordonError('CREDENTIAL_NOT_ACTIVE', 'The credential for this call has no stored version.');
  }
  return {
    tenant: tenant.epoch,
    user: owner === undefined ? -1 : (user?.epoch ?? -1),
    credential: credential.epoch,
    itemVersion: credential.version,
    secretVersionId: credential.secretVersionId ?? source,
  };
}
