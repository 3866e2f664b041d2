/** A role at work: as itself, or in a session for a tenant or a user. And what IAM says to what it asks for. */
import { type CompiledPolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import { account } from './stack.ts';
import type { Role } from './stack-model.ts';

export interface Session {
  readonly role: Role;
  /** Tags of the session and of its role. */
  readonly tenant?: string;
  readonly user?: string;
}

export type Asking = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: Asking;
  readonly resourcePolicy?: CompiledPolicy | undefined;
  /** Keys and roles: without an Allow of theirs nothing is allowed. */
  readonly policyRequired?: boolean;
}

export const sessionKey = ({ role, tenant, user }: Session): string => [role.name, tenant ?? '', user ?? ''].join(' ');

/** Whether the session is allowed what it asks for, by every policy that has a say. */
export function mayDo({ role, tenant, user }: Session, { action, resource, context, resourcePolicy, policyRequired }: Request): boolean {
  return evaluate({
    principal: {
      kind: 'role-session',
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/${role.name}/session`,
      roleArn: role.arn,
    },
    action,
    resource,
    context: requestContext({
      'aws:PrincipalArn': role.arn,
      'aws:PrincipalAccount': account,
      'aws:PrincipalTag/TenantId': tenant,
      'aws:PrincipalTag/UserId': user,
      'aws:PrincipalTag/Tier': role.tags['Tier'],
      'aws:SecureTransport': 'true',
      // Issued later than anything that was ever cut off.
      'aws:TokenIssueTime': '2100-01-01T00:00:00Z',
      ...context,
    }),
    identity: role.identity,
    ...(role.boundary !== undefined && { boundary: role.boundary }),
    ...(resourcePolicy !== undefined && { resourcePolicy }),
    resourceAccountId: account,
    resourcePolicyRequired: policyRequired === true,
    simulated: true,
  }).allowed;
}

/** Of these actions the ones that an Allow of the role's own speaks of, or of the resource's: no other can be allowed. */
export function spokenOf(policies: readonly CompiledPolicy[], actions: readonly string[]): ReadonlySet<string> {
  return new Set(actions.filter((action) => policies.some((policy) => policy.statementsFor(action.toLowerCase()).allows.length > 0)));
}
