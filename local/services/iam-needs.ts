/**
 * What IAM's own operations ask of IAM. Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and
 * Access Management".
 */
import { AwsError } from '../core/aws-error.ts';
import type { Identity, IdentityAccount, IdentityStore, ManagedPolicy, RoleIdentity, UserIdentity } from '../core/identity-store.ts';
import type { Need, Scope } from '../core/service.ts';

type Context = NonNullable<Need['context']>;

export function accountOf(store: IdentityStore, scope: Scope): IdentityAccount {
  const account = store.account(scope.accountId);
  if (account === undefined) throw new AwsError('NoSuchEntity', `There is no account ${scope.accountId}.`, 404);
  return account;
}

/** Throws NoSuchEntity. */
export function roleOf(store: IdentityStore, scope: Scope, name: string): RoleIdentity {
  return accountOf(store, scope).roles.get(name.toLowerCase()) ?? notFound(`The role with name ${name} cannot be found.`);
}

/** Throws NoSuchEntity. */
export function userOf(store: IdentityStore, scope: Scope, name: string): UserIdentity {
  return accountOf(store, scope).users.get(name.toLowerCase()) ?? notFound(`The user with name ${name} cannot be found.`);
}

/** One of the account's own or of AWS's. Throws NoSuchEntity. */
export function policyOf(store: IdentityStore, scope: Scope, arn: string): ManagedPolicy {
  const policy = store.policyByArn(arn);
  const isReachable = policy?.accountId === scope.accountId || policy?.accountId === 'aws';
  return policy !== undefined && isReachable ? policy : notFound(`Policy ${arn} does not exist or is not attachable.`);
}

/** On a role by its name. A role that does not exist has no path: only a grant on `role/{name}` or wider lets its absence be seen. */
export function roleNeed(store: IdentityStore, scope: Scope, action: string, name: string, context: Context = {}): Need {
  const role = accountOf(store, scope).roles.get(name.toLowerCase());
  return identityNeed(role, `arn:aws:iam::${scope.accountId}:role/${name}`, action, context);
}

export function userNeed(store: IdentityStore, scope: Scope, action: string, name: string, context: Context = {}): Need {
  const user = accountOf(store, scope).users.get(name.toLowerCase());
  return identityNeed(user, `arn:aws:iam::${scope.accountId}:user/${name}`, action, context);
}

function identityNeed(identity: Identity | undefined, missingArn: string, action: string, context: Context): Need {
  const tags = identity === undefined ? {} : resourceTags(identity.tags);
  return { action: `iam:${action}`, resource: identity?.arn ?? missingArn, context: { ...tags, ...context } };
}

/** With `iam:PermissionsBoundary` as it stands on the role: for changes of its permissions. */
export function rolePermissionNeed(store: IdentityStore, scope: Scope, action: string, name: string, context: Context = {}): Need {
  const boundary = accountOf(store, scope).roles.get(name.toLowerCase())?.boundaryArn;
  return roleNeed(store, scope, action, name, { 'iam:PermissionsBoundary': boundary, ...context });
}

export function userPermissionNeed(store: IdentityStore, scope: Scope, action: string, name: string, context: Context = {}): Need {
  const boundary = accountOf(store, scope).users.get(name.toLowerCase())?.boundaryArn;
  return userNeed(store, scope, action, name, { 'iam:PermissionsBoundary': boundary, ...context });
}

export function policyNeed(store: IdentityStore, action: string, arn: string, context: Context = {}): Need {
  const policy = store.policyByArn(arn);
  const tags = policy === undefined ? {} : prefixed('aws:ResourceTag/', policy.tags);
  return { action: `iam:${action}`, resource: arn, context: { ...tags, ...context } };
}

export function resourceTags(tags: ReadonlyMap<string, string>): Context {
  return { ...prefixed('aws:ResourceTag/', tags), ...prefixed('iam:ResourceTag/', tags) };
}

/** `aws:RequestTag/…` and `aws:TagKeys`; both absent when no tag is passed. */
export function requestTags(tags: ReadonlyMap<string, string>): Context {
  return tags.size === 0 ? {} : { ...prefixed('aws:RequestTag/', tags), 'aws:TagKeys': [...tags.keys()] };
}

function prefixed(prefix: string, tags: ReadonlyMap<string, string>): Context {
  return Object.fromEntries([...tags].map(([key, value]) => [prefix + key, value]));
}

export function notFound(message: string): never {
  throw new AwsError('NoSuchEntity', message, 404);
}

export function alreadyExists(message: string): AwsError {
  return new AwsError('EntityAlreadyExists', message, 409);
}

export function deleteConflict(message: string): AwsError {
  return new AwsError('DeleteConflict', message, 409);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceeded', message, 409);
}
