import type { TenantId } from '../../shared/identifiers.ts';
import type { Fact, Unread } from './fact.ts';
import type { DeployedStack, StackResource } from './resolve-reference.ts';

export interface DeployedRole {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly madeAt: number;
  /** Policies as IAM answers them. */
  readonly trust: string;
  readonly inline: Readonly<Record<string, string>>;
  readonly attached: readonly string[];
  readonly boundary: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly longestSession: number;
}

export interface DeployedPolicy {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** The version in force. */
  readonly document: string;
}

/** Whoever in the account has policies attached and is no role. */
export interface DeployedHolder {
  readonly arn: string;
  readonly attached: readonly string[];
}

/** Every identity of the account: what belongs to Cordon is told from the rest by names, not by asking for less. */
export interface DeployedIdentities {
  readonly roles: readonly DeployedRole[];
  readonly policies: readonly DeployedPolicy[];
  readonly usersAndGroups: readonly DeployedHolder[];
}

export interface Looked {
  readonly facts: readonly Fact[];
  readonly unread: readonly Unread[];
}

/** What is there. Each throws CordonError where nothing could be read; what could not be read of one thing is told beside the rest. */
export interface Deployed {
  /** The stack as CloudFormation lists it. `pathOf` is the caller's to say: no list has a role's path. */
  stackResources(): Promise<ReadonlyMap<string, StackResource>>;
  identities(): Promise<DeployedIdentities>;
  /** IDs of the keys behind `alias/cordon/{tenantId}`. */
  dedicatedKeys(): Promise<ReadonlyMap<TenantId, string>>;
  /** Policy, grants and tags. */
  keys(keyIds: readonly string[]): Promise<Looked>;
  /** Policies of queues, topics, buckets, functions, tables, the bus and secrets of the stack; policies of the account's logs that reach the stack's log groups. */
  resources(stack: DeployedStack): Promise<Looked>;
}
