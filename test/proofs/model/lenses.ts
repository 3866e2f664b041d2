/**
 * Several walls stand around a tenant's data, and each has to hold alone. A lens takes the others away: it asks the policies of a principal as if everything but one wall
 * let everybody in.
 */
import type { PolicyDocument } from '../../../local/iam/policy.ts';
import type { NamedPolicy, Policies } from './decision.ts';
import { forTenant } from './dedicated.ts';
import { list } from './lists.ts';
import { ownerOf, type Principal, type Stack, type StackKey } from './stack.ts';

const version = '2012-10-17';
const everything: PolicyDocument = { Version: version, Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }] };
export const anything: NamedPolicy = { name: 'Anything', document: everything };
/** The worst resource policy there is. */
const everyoneIn: NamedPolicy = {
  name: 'EveryoneIn',
  document: { Version: version, Statement: [{ Sid: 'EveryoneIn', Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] },
};
/** What the CDK gives a key by default: whoever IAM lets use it may. */
export const delegating = (account: string): NamedPolicy => ({
  name: 'Delegating',
  document: {
    Version: version,
    Statement: [{ Sid: 'Delegate', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: '*', Resource: '*' }],
  },
});

export function policyOf(stack: Stack, id: string, tenant?: string): NamedPolicy {
  const document = stack.policies.get(id);
  if (document === undefined) throw new Error(`the stack has no policy ${id}`);
  return { name: id.split(' ').at(-1) ?? id, document: tenant === undefined ? document : forTenant(document, tenant) };
}

const only = (effect: 'Allow' | 'Deny', { name, document }: NamedPolicy): NamedPolicy[] => {
  const Statement = list(document.Statement).filter((statement) => statement.Effect === effect);
  return Statement.length === 0 ? [] : [{ name, document: { ...document, Statement } }];
};

export interface Lens {
  readonly name: string;
  readonly policies: Policies;
  readonly uses: readonly string[];
}

const identityOf = (stack: Stack, { identity }: Principal): NamedPolicy[] => identity.map((id) => policyOf(stack, id));
const boundaryOf = (stack: Stack, { boundary }: Principal): NamedPolicy | undefined =>
  boundary === undefined ? undefined : policyOf(stack, boundary);

/** Its own Denies hold, whatever else it is allowed, by itself or by the resource. */
export const ownDenies = (stack: Stack, principal: Principal): Lens => ({
  name: 'by the Denies of its own policies',
  policies: { identity: [anything, ...identityOf(stack, principal).flatMap((policy) => only('Deny', policy))] },
  uses: principal.identity,
});

/** The boundary holds, whatever is attached to the role and whomever the resource lets in. */
export function boundaryDenies(stack: Stack, principal: Principal): Lens {
  const boundary = boundaryOf(stack, principal);
  return {
    name: 'by the Denies of its boundary',
    policies: { identity: [anything], ...(boundary && { boundary }), resource: everyoneIn },
    uses: [principal.boundary ?? ''],
  };
}

/** Its Allows give no more than that. A key lets in whom IAM lets in. */
export const ownAllows = (stack: Stack, principal: Principal, account: string, onKey = false): Lens => ({
  name: 'by its Allows alone',
  policies: {
    identity: identityOf(stack, principal).flatMap((policy) => only('Allow', policy)),
    ...(onKey && { resource: delegating(account), resourceRequired: true }),
  },
  uses: principal.identity,
});

/** `Revoked`, or any other policy attached to the role, allows everything: what remains is the boundary. */
export function anythingAttached(stack: Stack, principal: Principal): Lens {
  const boundary = boundaryOf(stack, principal);
  return {
    name: 'with a policy attached that allows everything',
    policies: { identity: [anything, ...identityOf(stack, principal)], ...(boundary && { boundary }) },
    uses: [...principal.identity, principal.boundary ?? ''],
  };
}

/** As deployed. */
export function deployed(stack: Stack, principal: Principal, resource?: NamedPolicy & { readonly id: string }): Lens {
  const boundary = boundaryOf(stack, principal);
  return {
    name: 'as deployed',
    policies: {
      identity: identityOf(stack, principal),
      ...(boundary && { boundary }),
      ...(resource && { resource, resourceRequired: true }),
    },
    uses: [...principal.identity, ...(principal.boundary === undefined ? [] : [principal.boundary]), ...(resource ? [resource.id] : [])],
  };
}

/** The key's own policy holds, whatever IAM allows. */
export const keyAlone = (stack: Stack, key: StackKey): Lens => ({
  name: `by the policy of ${key.name}`,
  policies: { identity: [anything], resource: policyOf(stack, key.policy, ownerOf(key)), resourceRequired: true },
  uses: [key.policy],
});

/** The Denies of the key's own policy hold, whomever else it lets in. */
export function keyDenies(stack: Stack, key: StackKey): Lens {
  const [denies] = only('Deny', policyOf(stack, key.policy, ownerOf(key)));
  const open = list(everyoneIn.document.Statement);
  return {
    name: `by the Denies of the policy of ${key.name}`,
    policies: {
      identity: [anything],
      resource: {
        name: denies?.name ?? key.name,
        document: { ...everyoneIn.document, Statement: [...list(denies?.document.Statement), ...open] },
      },
      resourceRequired: true,
    },
    uses: [key.policy],
  };
}

/** The Allows of the key's own policy give no more than that. */
export const keyAllows = (stack: Stack, key: StackKey): Lens => ({
  name: `by the Allows of the policy of ${key.name} alone`,
  policies: {
    identity: [anything],
    resource: only('Allow', policyOf(stack, key.policy, ownerOf(key)))[0] ?? delegating(''),
    resourceRequired: true,
  },
  uses: [key.policy],
});

export const keyPolicyOf = (stack: Stack, key: StackKey) => ({ id: key.policy, ...policyOf(stack, key.policy, ownerOf(key)) });

export function trustOf(stack: Stack, principal: Principal): NamedPolicy & { readonly id: string } {
  const id = principal.trust ?? '';
  return { id, ...policyOf(stack, id, ownerOf(principal)) };
}
