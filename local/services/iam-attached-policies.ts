/** The policies of a role and of a user: inline ones, and managed ones attached. */
import { z } from 'zod';
import type { Identity, IdentityStore } from '../core/identity-store.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { page, paged, pathPrefix, policyArn, policyName, policyText, roleName, userName } from './iam-members.ts';
import {
  limitExceeded,
  notFound,
  policyOf,
  roleNeed,
  roleOf,
  rolePermissionNeed,
  userNeed,
  userOf,
  userPermissionNeed,
} from './iam-needs.ts';
import { encodedPolicy, identityPolicy, policySize, policySizes } from './iam-policy-document.ts';
import { queryOperation } from './query-operation.ts';

/** How the same eight operations are spelled and authorized for either kind. */
interface Kind {
  readonly of: 'Role' | 'User';
  readonly nameMember: 'RoleName' | 'UserName';
  readonly name: z.ZodString;
  readonly find: (scope: Scope, name: string) => Identity;
  readonly readNeed: (scope: Scope, action: string, name: string) => Need;
  readonly changeNeed: (scope: Scope, action: string, name: string, context?: Need['context']) => Need;
  /** Characters without white space, all inline policies together. */
  readonly inlineQuota: number;
}

export function rolePolicyOperations(store: IdentityStore): Record<string, Operation> {
  return policyOperations(store, {
    of: 'Role',
    nameMember: 'RoleName',
    name: roleName,
    find: (scope, name) => roleOf(store, scope, name),
    readNeed: (scope, action, name) => roleNeed(store, scope, action, name),
    changeNeed: (scope, action, name, context) => rolePermissionNeed(store, scope, action, name, context),
    inlineQuota: policySizes.roleInlineTotal,
  });
}

export function userPolicyOperations(store: IdentityStore): Record<string, Operation> {
  return policyOperations(store, {
    of: 'User',
    nameMember: 'UserName',
    name: userName,
    find: (scope, name) => userOf(store, scope, name),
    readNeed: (scope, action, name) => userNeed(store, scope, action, name),
    changeNeed: (scope, action, name, context) => userPermissionNeed(store, scope, action, name, context),
    inlineQuota: policySizes.userInlineTotal,
  });
}

/** "IAM and AWS STS quotas": managed policies per role or user. */
const maxAttached = 10;

function policyOperations(store: IdentityStore, kind: Kind): Record<string, Operation> {
  const { of, nameMember, find } = kind;
  /** The schema of an input with the identity's name, read as `name`. */
  const onIdentity = <T extends z.ZodRawShape>(members: T) => z.strictObject({ [nameMember]: kind.name, ...members });
  const nameIn = (input: object): string => kind.name.parse(new Map(Object.entries(input)).get(nameMember));

  const inlineOf = (scope: Scope, name: string, policy: string) =>
    find(scope, name).inlinePolicies.get(policy) ?? notFound(`The ${of.toLowerCase()} policy with name ${policy} cannot be found.`);
  const inlineMembers = z.object({ PolicyName: policyName });
  const putMembers = z.object({ PolicyName: policyName, PolicyDocument: policyText });
  const attachMembers = z.object({ PolicyArn: policyArn });
  const pageMembers = z.object(page);
  const pathMembers = z.object({ PathPrefix: pathPrefix.default('/'), ...page });
  const attachNeed = (action: string) => (input: object, scope: Scope) => [
    kind.changeNeed(scope, action, nameIn(input), { 'iam:PolicyARN': attachMembers.parse(input).PolicyArn }),
  ];

  return {
    ...queryOperation(
      `Put${of}Policy`,
      onIdentity(putMembers.shape),
      (input, scope) => [kind.changeNeed(scope, `Put${of}Policy`, nameIn(input))],
      (input, scope) => {
        const { PolicyName, PolicyDocument } = putMembers.parse(input);
        const identity = find(scope, nameIn(input));
        const policy = identityPolicy(PolicyName, PolicyDocument);
        const others = [...identity.inlinePolicies].filter(([name]) => name !== PolicyName).map(([, { text }]) => policySize(text));
        const total = others.reduce((sum, size) => sum + size, policySize(PolicyDocument));
        if (total > kind.inlineQuota) {
          throw limitExceeded(`Maximum policy size of ${kind.inlineQuota} bytes exceeded for ${of.toLowerCase()} ${identity.name}`);
        }
        identity.inlinePolicies.set(PolicyName, policy);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      `Get${of}Policy`,
      onIdentity(inlineMembers.shape),
      (input, scope) => [kind.readNeed(scope, `Get${of}Policy`, nameIn(input))],
      (input, scope) => {
        const { PolicyName } = inlineMembers.parse(input);
        const { text } = inlineOf(scope, nameIn(input), PolicyName);
        return { [nameMember]: find(scope, nameIn(input)).name, PolicyName, PolicyDocument: encodedPolicy(text) };
      },
    ),
    ...queryOperation(
      `Delete${of}Policy`,
      onIdentity(inlineMembers.shape),
      (input, scope) => [kind.changeNeed(scope, `Delete${of}Policy`, nameIn(input))],
      (input, scope) => {
        const { PolicyName } = inlineMembers.parse(input);
        inlineOf(scope, nameIn(input), PolicyName);
        find(scope, nameIn(input)).inlinePolicies.delete(PolicyName);
        store.changed();
        return {};
      },
    ),
    ...queryOperation(
      `List${of}Policies`,
      onIdentity(page),
      (input, scope) => [kind.readNeed(scope, `List${of}Policies`, nameIn(input))],
      (input, scope) => {
        const { items, ...rest } = paged(find(scope, nameIn(input)).inlinePolicies.keys(), (name) => name, pageMembers.parse(input));
        return { PolicyNames: items, ...rest };
      },
    ),
    ...queryOperation(`Attach${of}Policy`, onIdentity(attachMembers.shape), attachNeed(`Attach${of}Policy`), (input, scope) => {
      const identity = find(scope, nameIn(input));
      const { arn } = policyOf(store, scope, attachMembers.parse(input).PolicyArn);
      if (!identity.attachedPolicyArns.has(arn) && identity.attachedPolicyArns.size >= maxAttached) {
        throw limitExceeded(`Cannot exceed quota for PoliciesPer${of}: ${maxAttached}`);
      }
      identity.attachedPolicyArns.add(arn);
      store.changed();
      return {};
    }),
    ...queryOperation(`Detach${of}Policy`, onIdentity(attachMembers.shape), attachNeed(`Detach${of}Policy`), (input, scope) => {
      const { PolicyArn } = attachMembers.parse(input);
      if (!find(scope, nameIn(input)).attachedPolicyArns.delete(PolicyArn)) notFound(`Policy ${PolicyArn} was not found.`);
      store.changed();
      return {};
    }),
    ...queryOperation(
      `ListAttached${of}Policies`,
      onIdentity(pathMembers.shape),
      (input, scope) => [kind.readNeed(scope, `ListAttached${of}Policies`, nameIn(input))],
      (input, scope) => {
        const { PathPrefix, ...asked } = pathMembers.parse(input);
        const attached = [...find(scope, nameIn(input)).attachedPolicyArns].map((arn) => policyOf(store, scope, arn));
        const found = attached.filter(({ path }) => path.startsWith(PathPrefix));
        const { items, ...rest } = paged(found, ({ name }) => name, asked);
        return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...rest };
      },
    ),
  };
}
