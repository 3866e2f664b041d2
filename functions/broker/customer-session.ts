import type { AwsScope, InjectedSecret } from '../providers/egress-adapter.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { createExpiringCache, type ExpiringCache, type Loaded } from '../shared/expiring-cache.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { CredentialFacts } from './catalogue.ts';
import { customerSessionPolicy } from './customer-session-policy.ts';
import type { CustomerRole, Epochs } from './gate.ts';
import { IsolationViolation } from './unavailable.ts';

export type AwsSession = InjectedSecret & { readonly kind: 'aws-session' };

/**
 * Has a customer's role assumed, in a session that this policy narrows.
 *
 * @param policy session policy, as JSON
 * @throws CordonError CUSTOMER_ROLE_REFUSED when the customer's account refused; SESSION_UNAVAILABLE (retryable) when there was no answer; ACCESS_REFUSED when
 *   it was refused on our side
 */
export type AssumeCustomerRole = (role: CustomerRole, policy: string) => Promise<Loaded<AwsSession>>;

/**
 * A session of the customer's role for what the scope names; the same object as long as it may be used, under these epochs and no others.
 *
 * @throws CordonError EGRESS_NOT_CONFIGURED, or what assuming throws
 */
export type TakeCustomerRole = (credential: CredentialFacts, epochs: Epochs, scope: AwsScope | undefined) => Promise<AwsSession>;

/** Sessions of customers' roles, kept in this environment's memory and nowhere else. */
export type CustomerSessions = ExpiringCache<AwsSession>;

/** One session is for one service in one region: more than any one tenant uses at a time. */
const capacity = 64;
/** Sessions last 15 minutes; one is used until this long before its end, in milliseconds. */
const marginMs = 120_000;

export function createCustomerSessions(clock: Clock): CustomerSessions {
  return createExpiringCache<AwsSession>({ clock, capacity, marginMs });
}

/**
 * What a session depends on is its key: after a revocation, and when the customer's role is another one, it is not found any more, and one that was asked for
 * before and comes after is not found either.
 */
export function createTakeCustomerRole(deps: {
  readonly tenantId: TenantId;
  readonly sessions: CustomerSessions;
  readonly assume: AssumeCustomerRole;
}): TakeCustomerRole {
  const { tenantId, sessions, assume } = deps;
  return async (credential, epochs, scope) => {
    const { credentialId } = credential;
    const { tenant, user, credential: epoch, connection } = epochs;
    if (scope === undefined || connection === undefined)
      throw new CordonError('EGRESS_NOT_CONFIGURED', `A customer's role is of no use at ${credential.provider}.`);
    // IAM refuses it too: the connector may take roles of its own tenant's name only. A registry item that says otherwise is not to be asked about.
    if (!connection.roleArn.startsWith(`arn:aws:iam::${connection.connectionId}:role/cordon.${tenantId}.`)) {
      const cause = new CordonError('ACCESS_REFUSED', 'a connection names a role of another tenant or account');
      throw new IsolationViolation({ operation: 'sts:AssumeRole', resource: `CONNECTION#${connection.connectionId}` }, cause);
    }
    const { connectionId, epoch: connectionEpoch, roleArn, roleId, externalId } = connection;
    const key = `${tenantId}|${credentialId}|${scope.service}|${scope.region}|${tenant}|${user}|${epoch}|${connectionEpoch}|${roleArn}|${roleId}|${externalId}`;
    return sessions.get(key, () => assume(connection, customerSessionPolicy(scope, connectionId)));
  };
}
