/** IAM roles: made, shown, changed, tagged, deleted. */
import { z } from 'zod';
import type { IdentityStore, RoleIdentity } from '../core/identity-store.ts';
import { newUniqueId } from '../core/identity-store.ts';
import type { Operation, Scope } from '../core/service.ts';
import {
  page,
  paged,
  path,
  pathPrefix,
  policyArn,
  policyText,
  removeTags,
  roleName,
  sessionSeconds,
  setTags,
  tagKeys,
  tagList,
  tagMap,
  tagsShown,
} from './iam-members.ts';
import { accountOf, alreadyExists, deleteConflict, notFound, requestTags, roleNeed, roleOf, rolePermissionNeed } from './iam-needs.ts';
import { encodedPolicy } from './iam-policy-document.ts';
import { shownTrust, trustPolicy } from './iam-trust.ts';
import { queryOperation } from './query-operation.ts';

const named = z.strictObject({ RoleName: roleName });
const createRole = z.strictObject({
  RoleName: roleName,
  AssumeRolePolicyDocument: policyText,
  Path: path.default('/'),
  Description: z.string().max(1000).optional(),
  MaxSessionDuration: sessionSeconds.default(3600),
  PermissionsBoundary: policyArn.optional(),
  Tags: tagList.optional(),
});

export function roleOperations(store: IdentityStore): Record<string, Operation> {
  return {
    ...queryOperation(
      'CreateRole',
      createRole,
      (input, scope) => {
        const resource = roleArn(scope, input.Path, input.RoleName);
        const tags = tagMap(input.Tags);
        const create = { 'iam:PermissionsBoundary': input.PermissionsBoundary, ...requestTags(tags) };
        const needs = [{ action: 'iam:CreateRole', resource, context: create }];
        return tags.size === 0 ? needs : [...needs, { action: 'iam:TagRole', resource, context: requestTags(tags) }];
      },
      (input, scope) => {
        const { roles } = accountOf(store, scope);
        if (roles.has(input.RoleName.toLowerCase())) throw alreadyExists(`Role with name ${input.RoleName} already exists.`);
        const role: RoleIdentity = {
          kind: 'role',
          accountId: scope.accountId,
          name: input.RoleName,
          path: input.Path,
          arn: roleArn(scope, input.Path, input.RoleName),
          uniqueId: newUniqueId('AROA', 17),
          createdAt: new Date(scope.clock.now()),
          tags: tagMap(input.Tags),
          inlinePolicies: new Map(),
          attachedPolicyArns: new Set(),
          boundaryArn: existingBoundary(store, scope, input.PermissionsBoundary),
          trust: trustPolicy(store, input.RoleName, input.AssumeRolePolicyDocument),
          description: input.Description,
          maxSessionSeconds: input.MaxSessionDuration,
        };
        roles.set(role.name.toLowerCase(), role);
        store.changed();
        return { Role: roleShown(store, role) };
      },
    ),
    ...queryOperation(
      'GetRole',
      named,
      ({ RoleName }, scope) => [roleNeed(store, scope, 'GetRole', RoleName)],
      ({ RoleName }, scope) => ({ Role: roleShown(store, roleOf(store, scope, RoleName)) }),
    ),
    ...queryOperation(
      'ListRoles',
      z.strictObject({ PathPrefix: pathPrefix.default('/'), ...page }),
      ({ PathPrefix }, scope) => [{ action: 'iam:ListRoles', resource: `arn:aws:iam::${scope.accountId}:role${PathPrefix}` }],
      (input, scope) => {
        const found = [...accountOf(store, scope).roles.values()].filter((role) => role.path.startsWith(input.PathPrefix));
        const { items, ...rest } = paged(found, ({ name }) => name, input);
        // Tags and boundary are not part of a list ("ListRoles" in the API reference).
        return { Roles: items.map((role) => ({ ...roleShown(store, role), Tags: undefined, PermissionsBoundary: undefined })), ...rest };
      },
    ),
    ...queryOperation(
      'UpdateAssumeRolePolicy',
      z.strictObject({ RoleName: roleName, PolicyDocument: policyText }),
      ({ RoleName }, scope) => [roleNeed(store, scope, 'UpdateAssumeRolePolicy', RoleName)],
      (input, scope) => {
        const role = roleOf(store, scope, input.RoleName);
        role.trust = trustPolicy(store, role.name, input.PolicyDocument);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'UpdateRole',
      z.strictObject({ RoleName: roleName, Description: z.string().max(1000).optional(), MaxSessionDuration: sessionSeconds.optional() }),
      ({ RoleName }, scope) => [roleNeed(store, scope, 'UpdateRole', RoleName)],
      (input, scope) => {
        const role = roleOf(store, scope, input.RoleName);
        if (input.Description !== undefined) role.description = input.Description;
        if (input.MaxSessionDuration !== undefined) role.maxSessionSeconds = input.MaxSessionDuration;
        return {};
      },
    ),
    ...queryOperation(
      'DeleteRole',
      named,
      ({ RoleName }, scope) => [roleNeed(store, scope, 'DeleteRole', RoleName)],
      ({ RoleName }, scope) => {
        const role = roleOf(store, scope, RoleName);
        if (role.attachedPolicyArns.size > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
        if (role.inlinePolicies.size > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
        accountOf(store, scope).roles.delete(role.name.toLowerCase());
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'TagRole',
      z.strictObject({ RoleName: roleName, Tags: tagList }),
      ({ RoleName, Tags }, scope) => [roleNeed(store, scope, 'TagRole', RoleName, requestTags(tagMap(Tags)))],
      ({ RoleName, Tags }, scope) => {
        setTags(roleOf(store, scope, RoleName).tags, tagMap(Tags));
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'UntagRole',
      z.strictObject({ RoleName: roleName, TagKeys: tagKeys }),
      ({ RoleName, TagKeys }, scope) => [roleNeed(store, scope, 'UntagRole', RoleName, { 'aws:TagKeys': TagKeys })],
      ({ RoleName, TagKeys }, scope) => {
        removeTags(roleOf(store, scope, RoleName).tags, TagKeys);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'ListRoleTags',
      z.strictObject({ RoleName: roleName, ...page }),
      ({ RoleName }, scope) => [roleNeed(store, scope, 'ListRoleTags', RoleName)],
      (input, scope) => {
        const { items, ...rest } = paged(tagsShown(roleOf(store, scope, input.RoleName).tags), ({ Key }) => Key, input);
        return { Tags: items, ...rest };
      },
    ),
    ...queryOperation(
      'PutRolePermissionsBoundary',
      z.strictObject({ RoleName: roleName, PermissionsBoundary: policyArn }),
      ({ RoleName, PermissionsBoundary }, scope) => [
        roleNeed(store, scope, 'PutRolePermissionsBoundary', RoleName, { 'iam:PermissionsBoundary': PermissionsBoundary }),
      ],
      (input, scope) => {
        const role = roleOf(store, scope, input.RoleName);
        role.boundaryArn = existingBoundary(store, scope, input.PermissionsBoundary);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'DeleteRolePermissionsBoundary',
      named,
      ({ RoleName }, scope) => [rolePermissionNeed(store, scope, 'DeleteRolePermissionsBoundary', RoleName)],
      ({ RoleName }, scope) => {
        const role = roleOf(store, scope, RoleName);
        if (role.boundaryArn === undefined) notFound(`Role ${RoleName} does not have a permissions boundary.`);
        role.boundaryArn = undefined;
        store.changed();
        return {};
      },
    ),
  };
}

/** Throws AwsError NoSuchEntity when the policy is not the account's own or AWS's. */
export function existingBoundary(store: IdentityStore, scope: Scope, arn: string | undefined): string | undefined {
  if (arn === undefined) return undefined;
  const policy = store.policyByArn(arn);
  if (policy?.accountId !== scope.accountId && policy?.accountId !== 'aws')
    notFound(`Scope ARN: ${arn} does not exist or is not attachable.`);
  return arn;
}

/** The boundary as Get operations show it. */
export function boundaryShown(arn: string | undefined): object | undefined {
  return arn === undefined ? undefined : { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: arn };
}

function roleArn(scope: Scope, rolePath: string, name: string): string {
  return `arn:aws:iam::${scope.accountId}:role${rolePath}${name}`;
}

function roleShown(store: IdentityStore, role: RoleIdentity): object {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.uniqueId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodedPolicy(shownTrust(store, role.trust)),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    PermissionsBoundary: boundaryShown(role.boundaryArn),
    Tags: role.tags.size === 0 ? undefined : tagsShown(role.tags),
  };
}
