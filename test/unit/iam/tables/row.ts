import type { Decision, PolicyKind, PolicyStatement, RequestPrincipal } from '../../../../local/iam/policy.ts';

/** One line of a decision table: policies by kind, a request, and what AWS documents as the answer. */
export interface Row {
  readonly name: string;
  readonly principal?: RequestPrincipal;
  readonly identity?: readonly PolicyStatement[];
  readonly boundary?: readonly PolicyStatement[];
  readonly session?: readonly (readonly PolicyStatement[])[];
  readonly resourcePolicy?: readonly PolicyStatement[];
  readonly resourcePolicyRequired?: boolean;
  /** Version of all policies of the row; 2012-10-17 unless given. */
  readonly version?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly resourceAccountId?: string;
  readonly context?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly reason: Decision['reason'];
  /** `kind/sid` of the deciding statement. */
  readonly deciding?: `${PolicyKind}/${string}`;
  /** All Deny statements that must be reported. */
  readonly denies?: readonly `${PolicyKind}/${string}`[];
  /** What the message must contain. */
  readonly says?: string;
}

export const account = '111122223333';
export const otherAccount = '444455556666';
export const roleArn = `arn:aws:iam::${account}:role/cordon/TenantReader`;
export const sessionArn = `arn:aws:sts::${account}:assumed-role/TenantReader/acme`;
export const userArn = `arn:aws:iam::${account}:user/operator`;

export const session: RequestPrincipal = { kind: 'role-session', accountId: account, arn: sessionArn, roleArn };
export const user: RequestPrincipal = { kind: 'user', accountId: account, arn: userArn };
export const root: RequestPrincipal = { kind: 'root', accountId: account, arn: `arn:aws:iam::${account}:root` };
export const otherRoot: RequestPrincipal = { kind: 'root', accountId: otherAccount, arn: `arn:aws:iam::${otherAccount}:root` };
export const eventsService: RequestPrincipal = { kind: 'service', accountId: account, arn: 'events.amazonaws.com' };

export const secretsOf = (tenant: string) => `arn:aws:secretsmanager:us-east-1:${account}:secret:cordon/${tenant}/`;
export const acmeSecret = `${secretsOf('acme')}openai-AbCdEf`;
export const boltSecret = `${secretsOf('bolt')}openai-AbCdEf`;
export const getSecret = 'secretsmanager:GetSecretValue';

/** An Allow of the row's usual action on everything, with whatever the row is about added. */
export function allow(Sid: string, more: Partial<PolicyStatement> = {}): PolicyStatement {
  return complete({ Sid, Effect: 'Allow' }, more);
}

export function deny(Sid: string, more: Partial<PolicyStatement> = {}): PolicyStatement {
  return complete({ Sid, Effect: 'Deny' }, more);
}

function complete(head: Pick<PolicyStatement, 'Sid' | 'Effect'>, more: Partial<PolicyStatement>): PolicyStatement {
  const action = more.NotAction === undefined ? { Action: getSecret } : {};
  const resource = more.NotResource === undefined ? { Resource: '*' } : {};
  return { ...head, ...action, ...resource, ...more };
}
