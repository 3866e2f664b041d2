/** IAM users and their access keys. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { AccessKey, IdentityStore, UserIdentity } from '../core/identity-store.ts';
import { newSecretAccessKey, newUniqueId } from '../core/identity-store.ts';
import type { Operation, Scope } from '../core/service.ts';
import { page, paged, path, pathPrefix, policyArn, tagList, tagMap, tagsShown, userName } from './iam-members.ts';
import { accountOf, alreadyExists, deleteConflict, limitExceeded, notFound, requestTags, userNeed, userOf } from './iam-needs.ts';
import { boundaryShown, existingBoundary } from './iam-roles.ts';
import { hasServiceCredentials } from './iam-service-credentials.ts';
import { queryOperation } from './query-operation.ts';

const maxAccessKeys = 2;
const maybeNamed = { UserName: userName.optional() };

export function userOperations(store: IdentityStore): Record<string, Operation> {
  /** The user named, or the one who asks. */
  const nameOrCaller = (scope: Scope, name: string | undefined): string => {
    const own = store.keys.get(scope.caller.accessKeyId)?.user.name;
    if (name === undefined && own === undefined) {
      throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
    }
    return name ?? own ?? '';
  };
  const keysOf = (user: UserIdentity): AccessKey[] => [...store.keys.values()].filter((key) => key.user === user);

  return {
    ...queryOperation(
      'CreateUser',
      z.strictObject({
        UserName: userName,
        Path: path.default('/'),
        PermissionsBoundary: policyArn.optional(),
        Tags: tagList.optional(),
      }),
      (input, scope) => {
        const resource = userArn(scope, input.Path, input.UserName);
        const tags = tagMap(input.Tags);
        const create = { 'iam:PermissionsBoundary': input.PermissionsBoundary, ...requestTags(tags) };
        const needs = [{ action: 'iam:CreateUser', resource, context: create }];
        return tags.size === 0 ? needs : [...needs, { action: 'iam:TagUser', resource, context: requestTags(tags) }];
      },
      (input, scope) => {
        const { users } = accountOf(store, scope);
        if (users.has(input.UserName.toLowerCase())) throw alreadyExists(`User with name ${input.UserName} already exists.`);
        const user: UserIdentity = {
          kind: 'user',
          accountId: scope.accountId,
          name: input.UserName,
          path: input.Path,
          arn: userArn(scope, input.Path, input.UserName),
          uniqueId: newUniqueId('AIDA', 17),
          createdAt: new Date(scope.clock.now()),
          tags: tagMap(input.Tags),
          inlinePolicies: new Map(),
          attachedPolicyArns: new Set(),
          boundaryArn: existingBoundary(store, scope, input.PermissionsBoundary),
        };
        users.set(user.name.toLowerCase(), user);
        store.changed();
        return { User: userShown(user) };
      },
    ),
    ...queryOperation(
      'GetUser',
      z.strictObject(maybeNamed),
      ({ UserName }, scope) => [userNeed(store, scope, 'GetUser', nameOrCaller(scope, UserName))],
      ({ UserName }, scope) => ({ User: userShown(userOf(store, scope, nameOrCaller(scope, UserName))) }),
    ),
    ...queryOperation(
      'ListUsers',
      z.strictObject({ PathPrefix: pathPrefix.default('/'), ...page }),
      ({ PathPrefix }, scope) => [{ action: 'iam:ListUsers', resource: `arn:aws:iam::${scope.accountId}:user${PathPrefix}` }],
      (input, scope) => {
        const found = [...accountOf(store, scope).users.values()].filter((user) => user.path.startsWith(input.PathPrefix));
        const { items, ...rest } = paged(found, ({ name }) => name, input);
        return { Users: items.map((user) => ({ ...userShown(user), Tags: undefined, PermissionsBoundary: undefined })), ...rest };
      },
    ),
    ...queryOperation(
      'DeleteUser',
      z.strictObject({ UserName: userName }),
      ({ UserName }, scope) => [userNeed(store, scope, 'DeleteUser', UserName)],
      ({ UserName }, scope) => {
        const user = userOf(store, scope, UserName);
        if (keysOf(user).length > 0) throw deleteConflict('Cannot delete entity, must delete access keys first.');
        if (hasServiceCredentials(store, scope, UserName))
          throw deleteConflict('Cannot delete entity, must remove service specific credentials first.');
        if (user.attachedPolicyArns.size > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
        if (user.inlinePolicies.size > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
        accountOf(store, scope).users.delete(user.name.toLowerCase());
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'CreateAccessKey',
      z.strictObject(maybeNamed),
      ({ UserName }, scope) => [userNeed(store, scope, 'CreateAccessKey', nameOrCaller(scope, UserName))],
      ({ UserName }, scope) => {
        const user = userOf(store, scope, nameOrCaller(scope, UserName));
        if (keysOf(user).length >= maxAccessKeys) throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${maxAccessKeys}`);
        const key: AccessKey = {
          accessKeyId: newUniqueId('AKIA'),
          secretAccessKey: newSecretAccessKey(),
          user,
          createdAt: new Date(scope.clock.now()),
        };
        store.keys.set(key.accessKeyId, key);
        return { AccessKey: { ...keyShown(key), SecretAccessKey: key.secretAccessKey } };
      },
    ),
    ...queryOperation(
      'DeleteAccessKey',
      z.strictObject({ ...maybeNamed, AccessKeyId: z.string().min(16).max(128) }),
      ({ UserName }, scope) => [userNeed(store, scope, 'DeleteAccessKey', nameOrCaller(scope, UserName))],
      ({ UserName, AccessKeyId }, scope) => {
        const user = userOf(store, scope, nameOrCaller(scope, UserName));
        if (store.keys.get(AccessKeyId)?.user !== user) notFound(`The Access Key with id ${AccessKeyId} cannot be found.`);
        store.keys.delete(AccessKeyId);
        return {};
      },
    ),
    ...queryOperation(
      'ListAccessKeys',
      z.strictObject({ ...maybeNamed, ...page }),
      ({ UserName }, scope) => [userNeed(store, scope, 'ListAccessKeys', nameOrCaller(scope, UserName))],
      (input, scope) => {
        const user = userOf(store, scope, nameOrCaller(scope, input.UserName));
        const { items, ...rest } = paged(keysOf(user), ({ accessKeyId }) => accessKeyId, input);
        return { AccessKeyMetadata: items.map(keyShown), ...rest };
      },
    ),
  };
}

function userArn(scope: Scope, userPath: string, name: string): string {
  return `arn:aws:iam::${scope.accountId}:user${userPath}${name}`;
}

function userShown(user: UserIdentity): object {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.uniqueId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    PermissionsBoundary: boundaryShown(user.boundaryArn),
    Tags: user.tags.size === 0 ? undefined : tagsShown(user.tags),
  };
}

function keyShown(key: AccessKey): object {
  return { UserName: key.user.name, AccessKeyId: key.accessKeyId, Status: 'Active', CreateDate: key.createdAt };
}
