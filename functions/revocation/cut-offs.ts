import type { TenantId, UserId } from '../shared/identifiers.ts';

/** Which STS sessions are to be refused from now on: those of a tenant, or of one of its users, that are older than an instant. */
export interface CutOff {
  /** Chosen by who asks, and the same at each repetition. */
  readonly id: string;
  readonly tenantId: TenantId;
  /** Left out: the tenant's sessions and those of all its users. */
  readonly userId?: UserId | undefined;
  /** Milliseconds since the epoch. Token issue times have whole seconds: a session of that very second is cut off too. */
  readonly before: number;
}

export interface CutOffState {
  /** Since when IAM has the policy with it, in milliseconds since the epoch; IAM takes seconds to minutes until it is in force everywhere. Undefined while it waits. */
  readonly appliedAt?: number | undefined;
  readonly policyVersionId?: string | undefined;
}

/**
 * Asks for sessions to be cut off: what was handed out before a revocation ends with it, and not fifteen minutes later. What is asked for is kept before anything else
 * happens, and done within a minute or so; the policy itself is written by one function alone (`cut-off/`). Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED.
 */
export interface CutOffs {
  /** May be repeated: an ID that is known already changes nothing. */
  request(cutOff: CutOff): Promise<void>;
  /** Undefined when it is not known, or was forgotten a day after the last session that it could concern had ended. */
  state(cutOff: Pick<CutOff, 'id' | 'before'>): Promise<CutOffState | undefined>;
}
