/** Customer managed policies and their versions. */
import { z } from 'zod';
import type { IdentityStore, ManagedPolicy } from '../core/identity-store.ts';
import { newUniqueId } from '../core/identity-store.ts';
import type { Operation, Scope } from '../core/service.ts';
import { flag, page, paged, path, pathPrefix, policyArn, policyName, policyText, tagList, tagMap, tagsShown } from './iam-members.ts';
import { accountOf, alreadyExists, deleteConflict, limitExceeded, notFound, policyNeed, policyOf, requestTags } from './iam-needs.ts';
import { encodedPolicy, identityPolicy, policySize, policySizes } from './iam-policy-document.ts';
import { queryOperation } from './query-operation.ts';

const byArn = z.strictObject({ PolicyArn: policyArn });
const version = z.strictObject({ PolicyArn: policyArn, VersionId: z.string().regex(/^v[1-9][0-9]*$/) });
const maxVersions = 5;

export function managedPolicyOperations(store: IdentityStore): Record<string, Operation> {
  return {
    ...queryOperation(
      'CreatePolicy',
      z.strictObject({
        PolicyName: policyName,
        PolicyDocument: policyText,
        Path: path.default('/'),
        Description: z.string().max(1000).optional(),
        Tags: tagList.optional(),
      }),
      (input, scope) => {
        const tags = tagMap(input.Tags);
        const resource = newPolicyArn(scope, input.Path, input.PolicyName);
        const create = { action: 'iam:CreatePolicy', resource, context: requestTags(tags) };
        return tags.size === 0 ? [create] : [create, { ...create, action: 'iam:TagPolicy' }];
      },
      (input, scope) => {
        const { policies } = accountOf(store, scope);
        const isTaken = [...policies.values()].some(({ name }) => name.toLowerCase() === input.PolicyName.toLowerCase());
        if (isTaken) throw alreadyExists(`A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`);
        const createdAt = new Date(scope.clock.now());
        const policy: ManagedPolicy = {
          accountId: scope.accountId,
          name: input.PolicyName,
          path: input.Path,
          arn: newPolicyArn(scope, input.Path, input.PolicyName),
          policyId: newUniqueId('ANPA', 17),
          description: input.Description,
          createdAt,
          updatedAt: createdAt,
          tags: tagMap(input.Tags),
          versions: new Map([['v1', { ...checkedPolicy(input.PolicyName, input.PolicyDocument), createdAt }]]),
          defaultVersionId: 'v1',
          nextVersion: 2,
        };
        policies.set(policy.arn, policy);
        store.changed();
        return { Policy: policyShown(store, policy) };
      },
    ),
    ...queryOperation(
      'GetPolicy',
      byArn,
      ({ PolicyArn }) => [policyNeed(store, 'GetPolicy', PolicyArn)],
      ({ PolicyArn }, scope) => ({ Policy: policyShown(store, policyOf(store, scope, PolicyArn)) }),
    ),
    ...queryOperation(
      'ListPolicies',
      z.strictObject({
        Scope: z.enum(['All', 'AWS', 'Local']).default('All'),
        OnlyAttached: flag.default(false),
        PathPrefix: pathPrefix.default('/'),
        ...page,
      }),
      (_, scope) => [{ action: 'iam:ListPolicies', resource: `arn:aws:iam::${scope.accountId}:policy/` }],
      (input, scope) => {
        const local = input.Scope === 'AWS' ? [] : [...accountOf(store, scope).policies.values()];
        const aws = input.Scope === 'Local' ? [] : store.awsPolicies();
        const found = [...local, ...aws].filter(
          (policy) =>
            policy.path.startsWith(input.PathPrefix) && (!input.OnlyAttached || usesOf(store, policy, scope.accountId).attached > 0),
        );
        const { items, ...rest } = paged(found, ({ arn }) => arn, input);
        return { Policies: items.map((policy) => ({ ...policyShown(store, policy), Description: undefined, Tags: undefined })), ...rest };
      },
    ),
    ...queryOperation(
      'DeletePolicy',
      byArn,
      ({ PolicyArn }) => [policyNeed(store, 'DeletePolicy', PolicyArn)],
      ({ PolicyArn }, scope) => {
        const policy = ownPolicy(store, scope, PolicyArn);
        const uses = usesOf(store, policy, scope.accountId);
        if (uses.attached + uses.asBoundary > 0) throw deleteConflict('Cannot delete a policy attached to entities.');
        if (policy.versions.size > 1) {
          throw deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions.");
        }
        accountOf(store, scope).policies.delete(policy.arn);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      'CreatePolicyVersion',
      z.strictObject({ PolicyArn: policyArn, PolicyDocument: policyText, SetAsDefault: flag.default(false) }),
      ({ PolicyArn }) => [policyNeed(store, 'CreatePolicyVersion', PolicyArn)],
      (input, scope) => {
        const policy = ownPolicy(store, scope, input.PolicyArn);
        if (policy.versions.size >= maxVersions) throw limitExceeded('A managed policy can have up to 5 versions. Delete one first.');
        const id = `v${policy.nextVersion}`;
        const createdAt = new Date(scope.clock.now());
        policy.versions.set(id, { ...checkedPolicy(policy.name, input.PolicyDocument), createdAt });
        policy.nextVersion += 1;
        policy.updatedAt = createdAt;
        if (input.SetAsDefault) policy.defaultVersionId = id;
        store.changed();
        return { PolicyVersion: { VersionId: id, IsDefaultVersion: input.SetAsDefault, CreateDate: createdAt } };
      },
    ),
    ...queryOperation(
      'GetPolicyVersion',
      version,
      ({ PolicyArn }) => [policyNeed(store, 'GetPolicyVersion', PolicyArn)],
      ({ PolicyArn, VersionId }, scope) => {
        const policy = policyOf(store, scope, PolicyArn);
        const { text, createdAt } = versionOf(policy, VersionId);
        const shown = { VersionId, IsDefaultVersion: VersionId === policy.defaultVersionId, CreateDate: createdAt };
        return { PolicyVersion: { Document: encodedPolicy(text), ...shown } };
      },
    ),
    ...queryOperation(
      'ListPolicyVersions',
      z.strictObject({ PolicyArn: policyArn, ...page }),
      ({ PolicyArn }) => [policyNeed(store, 'ListPolicyVersions', PolicyArn)],
      (input, scope) => {
        const policy = policyOf(store, scope, input.PolicyArn);
        const all = [...policy.versions].map(([id, { createdAt }]) => ({
          VersionId: id,
          IsDefaultVersion: id === policy.defaultVersionId,
          CreateDate: createdAt,
        }));
        const { items, ...rest } = paged(all, ({ VersionId }) => VersionId.padStart(9, '0'), input);
        return { Versions: items, ...rest };
      },
    ),
    ...queryOperation(
      'DeletePolicyVersion',
      version,
      ({ PolicyArn }) => [policyNeed(store, 'DeletePolicyVersion', PolicyArn)],
      ({ PolicyArn, VersionId }, scope) => {
        const policy = ownPolicy(store, scope, PolicyArn);
        versionOf(policy, VersionId);
        if (policy.defaultVersionId === VersionId) throw deleteConflict('Cannot delete the default version of a policy.');
        policy.versions.delete(VersionId);
        return {};
      },
    ),
    ...queryOperation(
      'SetDefaultPolicyVersion',
      version,
      ({ PolicyArn }) => [policyNeed(store, 'SetDefaultPolicyVersion', PolicyArn)],
      ({ PolicyArn, VersionId }, scope) => {
        const policy = ownPolicy(store, scope, PolicyArn);
        versionOf(policy, VersionId);
        policy.defaultVersionId = VersionId;
        policy.updatedAt = new Date(scope.clock.now());
        store.changed();
        return {};
      },
    ),
  };
}

function newPolicyArn(scope: Scope, policyPath: string, name: string): string {
  return `arn:aws:iam::${scope.accountId}:policy${policyPath}${name}`;
}

/** AWS's own policies can be read and attached, not changed. */
function ownPolicy(store: IdentityStore, scope: Scope, arn: string): ManagedPolicy {
  const policy = policyOf(store, scope, arn);
  return policy.accountId === scope.accountId ? policy : notFound(`Policy ${arn} is not a policy of this account.`);
}

function versionOf(policy: ManagedPolicy, id: string) {
  return policy.versions.get(id) ?? notFound(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
}

function checkedPolicy(name: string, text: string) {
  const policy = identityPolicy(name, text);
  if (policySize(text) > policySizes.managed) throw limitExceeded(`Cannot exceed quota for PolicySize: ${policySizes.managed}`);
  return policy;
}

function usesOf(store: IdentityStore, policy: ManagedPolicy, accountId: string): { attached: number; asBoundary: number } {
  const account = store.account(accountId);
  const identities = [...(account?.users.values() ?? []), ...(account?.roles.values() ?? [])];
  return {
    attached: identities.filter(({ attachedPolicyArns }) => attachedPolicyArns.has(policy.arn)).length,
    asBoundary: identities.filter(({ boundaryArn }) => boundaryArn === policy.arn).length,
  };
}

function policyShown(store: IdentityStore, policy: ManagedPolicy): object {
  const uses = usesOf(store, policy, policy.accountId);
  return {
    PolicyName: policy.name,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: uses.attached,
    PermissionsBoundaryUsageCount: uses.asBoundary,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
    Tags: policy.tags.size === 0 ? undefined : tagsShown(policy.tags),
  };
}
