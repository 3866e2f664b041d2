/** The policy language and a decision's shape. Source: IAM User Guide, "IAM JSON policy reference" and "Policy evaluation logic". */

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Principal?: PrincipalElement;
  readonly NotPrincipal?: PrincipalElement;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, ConditionValue>>>>;
}
export type PrincipalElement = '*' | Readonly<Record<string, string | readonly string[]>>;
export type ConditionValue = string | boolean | number | readonly (string | boolean | number)[];
export interface PolicyDocument {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

/** Who asks, in the forms a policy's `Principal` may name it. */
export interface RequestPrincipal {
  /** `anonymous`: a request without signature, which S3 takes; only a resource policy that names everyone lets it in. */
  readonly kind: 'root' | 'user' | 'role-session' | 'service' | 'anonymous';
  /** Empty for `anonymous`. */
  readonly accountId: string;
  /** User ARN, assumed-role session ARN, `arn:aws:iam::{account}:root`, the service's host name for a service, or `anonymous`. */
  readonly arn: string;
  /** The role behind a session. */
  readonly roleArn?: string;
}

export type PolicyKind = 'identity' | 'resource' | 'boundary' | 'session';

/** Names one statement, e.g. `{policy: 'TenantIsolation', kind: 'identity', sid: 'DenyOtherTenantsSecrets'}`. A statement without Sid is called by its index, `#0`. */
export interface StatementRef {
  readonly policy: string;
  readonly kind: PolicyKind;
  readonly sid: string;
}

export interface Decision {
  readonly allowed: boolean;
  /** `unsupported`: the request or a policy uses something the evaluator does not know; refused, and `message` names it. */
  readonly reason: 'allow' | 'explicit-deny' | 'implicit-deny' | 'unsupported';
  /** The statement that decided: the first Deny, or the Allow; undefined for an implicit deny. */
  readonly deciding: StatementRef | undefined;
  /** Every Deny statement that matched: a test can ask that a particular rule is among them. */
  readonly denies: readonly StatementRef[];
  /** For people: one sentence, e.g. `explicit deny by TenantIsolation/DenyOtherTenantsSecrets (identity)` or `no session policy allows it`. */
  readonly message: string;
}
