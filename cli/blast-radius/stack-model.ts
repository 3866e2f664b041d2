import type { CompiledPolicy } from '../../local/iam/evaluate.ts';
import type { PolicyDocument } from '../../local/iam/policy.ts';

export interface Thing {
  readonly name: string;
  readonly arn: string;
}

/** A role with everything that decides what it may do. */
export interface Role extends Thing {
  readonly identity: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
  /** Not there for a role that is not the stack's. */
  readonly trust?: CompiledPolicy;
  /** ARNs of policies that are AWS's own: what is in them is not known here. */
  readonly foreign: readonly string[];
  /** Tags of the role itself: each session has them. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface StackFunction extends Thing {
  readonly roleArn: string;
  /** An environment serves one tenant and no other after it. */
  readonly perTenant: boolean;
  /** API Gateway hands it callers' tokens. */
  readonly takesTokens: boolean;
  /** ARNs of the queues whose messages it handles. */
  readonly consumes: readonly string[];
}

export interface Table extends Thing {
  /** Under the table's own key. */
  readonly ownIndexes: readonly string[];
  /** Under a key of their own. */
  readonly commonIndexes: readonly string[];
}

export interface StackKey extends Thing {
  readonly policy?: CompiledPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly roles: readonly Role[];
  readonly functions: readonly StackFunction[];
  readonly keys: readonly StackKey[];
  readonly tables: readonly Table[];
  /** Secrets that are no tenant's: administrators' credentials at providers. */
  readonly platformSecrets: readonly Thing[];
  readonly queues: readonly Thing[];
  readonly buses: readonly Thing[];
  readonly buckets: readonly Thing[];
  readonly logGroups: readonly Thing[];
  readonly policies: readonly Thing[];
  /** ARNs of the policies that stand as boundaries. */
  readonly boundaries: readonly string[];
  readonly events: readonly { readonly source: string; readonly detailType?: string; readonly queues: readonly string[] }[];
  /** Of queues, buckets and functions, by the ARN of what they guard. */
  readonly resourcePolicies: ReadonlyMap<string, CompiledPolicy>;
  /** Every policy document there is. */
  readonly documents: readonly PolicyDocument[];
}

/** Stands for any role of the account, with no policy of its own: what it reaches, policies of resources let everybody reach. */
export const anybody = 'anybody in the account';

/** A logical ID without the hash that CDK appends. */
export function plainName(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

/**
 * Two tenants that stand for any two. One's ID begins with the other's, so that a name without its delimiter is found out.
 * Whoever reaches both reaches all: no policy knows either of them.
 */
export const tenants = { own: 'acme', other: 'acme-2' } as const;
export type TenantName = (typeof tenants)[keyof typeof tenants];
/** Two users, of whichever tenant. */
export const users = { self: 'a'.repeat(26), other: 'b'.repeat(26) } as const;
