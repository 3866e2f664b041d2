/**
 * GetAccountAuthorizationDetails: every user, role and managed policy of the account with what is attached to it, in pages. A role's longest session is not part of it, as in
 * AWS. Source: IAM API Reference, GetAccountAuthorizationDetails, RoleDetail, UserDetail, ManagedPolicyDetail.
 */
import { z } from 'zod';
import type { Identity, IdentityStore, ManagedPolicy, RoleIdentity, UserIdentity } from '../core/identity-store.ts';
import type { Operation } from '../core/service.ts';
import { page, paged, tagsShown } from './iam-members.ts';
import { accountOf } from './iam-needs.ts';
import { encodedPolicy } from './iam-policy-document.ts';
import { boundaryShown } from './iam-roles.ts';
import { shownTrust } from './iam-trust.ts';
import { queryOperation } from './query-operation.ts';

const kinds = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'] as const;
type Kind = (typeof kinds)[number];
interface Entry {
  readonly kind: Kind;
  readonly name: string;
  readonly shown: () => object;
}

export function accountDetailOperations(store: IdentityStore): Record<string, Operation> {
  return queryOperation(
    'GetAccountAuthorizationDetails',
    z.strictObject({ Filter: z.array(z.enum(kinds)).default([]), ...page }),
    () => [{ action: 'iam:GetAccountAuthorizationDetails', resource: '*' }],
    (input, scope) => {
      const { roles, users, policies } = accountOf(store, scope);
      const all: readonly Entry[] = [
        ...[...users.values()].map((user) => ({ kind: 'User' as const, name: user.arn, shown: () => userShown(store, user) })),
        ...[...roles.values()].map((role) => ({ kind: 'Role' as const, name: role.arn, shown: () => roleShown(store, role) })),
        ...[...policies.values()].map((policy) => policyEntry(store, 'LocalManagedPolicy', policy)),
        ...store.awsPolicies().map((policy) => policyEntry(store, 'AWSManagedPolicy', policy)),
      ];
      const wanted: readonly Kind[] = input.Filter.length === 0 ? kinds : input.Filter;
      const found = all.filter(({ kind }) => wanted.includes(kind));
      const { items, ...rest } = paged(found, ({ kind, name }) => `${kind} ${name}`, input);
      const listed = (...of: readonly Kind[]) => items.filter(({ kind }) => of.includes(kind)).map(({ shown }) => shown());
      return {
        UserDetailList: listed('User'),
        RoleDetailList: listed('Role'),
        // There are no groups here.
        GroupDetailList: [],
        Policies: listed('LocalManagedPolicy', 'AWSManagedPolicy'),
        ...rest,
      };
    },
  );
}

function roleShown(store: IdentityStore, role: RoleIdentity): object {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.uniqueId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodedPolicy(shownTrust(store, role.trust)),
    InstanceProfileList: [],
    RolePolicyList: inlineShown(role),
    AttachedManagedPolicies: attachedShown(store, role),
    PermissionsBoundary: boundaryShown(role.boundaryArn),
    Tags: tagsShown(role.tags),
  };
}

function userShown(store: IdentityStore, user: UserIdentity): object {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.uniqueId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    UserPolicyList: inlineShown(user),
    GroupList: [],
    AttachedManagedPolicies: attachedShown(store, user),
    PermissionsBoundary: boundaryShown(user.boundaryArn),
    Tags: tagsShown(user.tags),
  };
}

function inlineShown({ inlinePolicies }: Identity): readonly object[] {
  return [...inlinePolicies].map(([PolicyName, { text }]) => ({ PolicyName, PolicyDocument: encodedPolicy(text) }));
}

function attachedShown(store: IdentityStore, { attachedPolicyArns }: Identity): readonly object[] {
  return [...attachedPolicyArns].map((arn) => ({ PolicyName: store.policyByArn(arn)?.name, PolicyArn: arn }));
}

function policyEntry(store: IdentityStore, kind: Kind, policy: ManagedPolicy): Entry {
  return {
    kind,
    name: policy.arn,
    shown: () => ({
      PolicyName: policy.name,
      PolicyId: policy.policyId,
      Arn: policy.arn,
      Path: policy.path,
      DefaultVersionId: policy.defaultVersionId,
      AttachmentCount: attachmentsOf(store, policy),
      IsAttachable: true,
      CreateDate: policy.createdAt,
      UpdateDate: policy.updatedAt,
      PolicyVersionList: [...policy.versions].map(([VersionId, { text, createdAt }]) => ({
        Document: encodedPolicy(text),
        VersionId,
        IsDefaultVersion: VersionId === policy.defaultVersionId,
        CreateDate: createdAt,
      })),
    }),
  };
}

function attachmentsOf(store: IdentityStore, { arn, accountId }: ManagedPolicy): number {
  const account = store.account(accountId);
  const identities = [...(account?.users.values() ?? []), ...(account?.roles.values() ?? [])];
  return identities.filter(({ attachedPolicyArns }) => attachedPolicyArns.has(arn)).length;
}
