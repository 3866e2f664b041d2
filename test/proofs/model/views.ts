/** From where powers are looked at: each principal as deployed and as if it had no boundary, each boundary as if everything were attached under it, each policy of a resource as if IAM allowed everybody everything. */
import type { RequestPrincipal } from '../../../local/iam/policy.ts';
import { operatorOf } from './chains.ts';
import type { Policies } from './decision.ts';
import { anything, deployed, policyOf } from './lenses.ts';
import { other, own } from './letters.ts';
import { list } from './lists.ts';
import type { Caller } from './patterns.ts';
import { callerOfSession } from './question.ts';
import { account, isReachedInClear, ownerOf, type Principal, type Stack } from './stack.ts';

export interface View {
  /** Whose powers, or over what. */
  readonly subject: string;
  /** Over what is given: who asks. */
  readonly who?: string;
  readonly caller: Caller;
  readonly policies: Policies;
  /** Names of the policies in `Stack.policies` that are looked at. */
  readonly uses: readonly string[];
  /** The one resource that the policy is attached to; every one there is when left out. */
  readonly resource?: string;
  /** The services that are asked, e.g. `kms`; every one there is when left out. */
  readonly services?: readonly string[];
}

/** All of them; what is another dedicated tenant's is like the first one's. */
export function viewsOf(stack: Stack): View[] {
  const principals = [...stack.principals, operatorOf()].filter((principal) => ownerOf(principal) !== other);
  return [
    ...principals.flatMap((principal) => ownPowers(stack, principal)),
    ...underBoundaries(stack, principals),
    ...doors(stack, principals),
  ];
}

const callerOf = (principal: Principal): Caller => callerOfSession({ principal, ...(principal.kind === 'tenant' && { tenant: own }) });

/** A policy that gives more than the boundary lets through is wrong too. */
function ownPowers(stack: Stack, principal: Principal): View[] {
  const { policies, uses } = deployed(stack, principal);
  const view = { subject: principal.name, caller: callerOf(principal) };
  const alone = { ...view, who: 'without its boundary', policies: { identity: policies.identity }, uses: principal.identity };
  return [{ ...view, policies, uses }, ...(principal.boundary === undefined ? [] : [alone])];
}

/** Roles of which a boundary says the same are told apart by whoever writes the powers down. */
function underBoundaries(stack: Stack, principals: readonly Principal[]): View[] {
  return principals.flatMap((principal) =>
    principal.boundary === undefined
      ? []
      : [
          {
            subject: principal.boundary,
            who: principal.name,
            caller: callerOf(principal),
            policies: { identity: [anything], boundary: policyOf(stack, principal.boundary) },
            uses: [principal.boundary],
          },
        ],
  );
}

/** Of this account, and with no policy of the stack's. */
const somebody = 'somebody';

/** A service is no session: it has no tags, and is nobody's role. */
const noTags = ['aws:principaltag/tenantid', 'aws:principaltag/userid', 'aws:principalarn', 'aws:principalaccount'].map(
  (key) => [key, undefined] as const,
);

export interface Visitor {
  readonly name: string;
  readonly caller: Caller;
  /** None: a service. */
  readonly principal?: Principal;
}

/** Whoever may stand before a resource: the stack's principals, services, and somebody of this account and of another. */
export function visitorsOf(stack: Stack, principals: readonly Principal[]): Visitor[] {
  const hosts = new Set(
    [...stack.policies.values()].flatMap(({ Statement }) =>
      list(Statement).flatMap(({ Principal }) => (typeof Principal === 'object' ? list(Principal['Service']) : [])),
    ),
  );
  const role = (accountId: string): Principal => ({
    name: accountId === account ? somebody : 'a stranger',
    arn: `arn:aws:iam::${accountId}:role/Somebody`,
    kind: 'other',
    identity: [],
    tags: {},
  });
  const service = (arn: string): Visitor => {
    const principal: RequestPrincipal = { kind: 'service', accountId: account, arn };
    return { name: arn, caller: { principal, known: new Map(noTags), bounded: false } };
  };
  return [
    ...[...principals, role(account), role('444455556666')].map((one) => ({ name: one.name, caller: callerOf(one), principal: one })),
    ...[...hosts, 'unheard-of.amazonaws.com'].sort().map(service),
  ];
}

function doors(stack: Stack, principals: readonly Principal[]): View[] {
  const visitors = visitorsOf(stack, principals);
  const at = ({ caller }: Visitor, id: string, identity: Policies['identity'], isRequired: boolean, tenant?: string) => ({
    caller,
    policies: {
      identity,
      resource: policyOf(stack, id, tenant),
      resourceRequired: isRequired,
      acrossAccounts: caller.principal.accountId !== account,
    },
    uses: [id],
  });
  const lock = (id: string, resource: string, services: readonly string[], tenant?: string): View[] =>
    visitors.map((visitor) => ({
      ...at(visitor, id, visitor.principal === undefined ? [] : [anything], true, tenant),
      subject: id,
      who: visitor.name,
      resource,
      services,
    }));
  /** Where the policy of a resource is not needed, it lets in those who have nothing else, and keeps out some who have everything. */
  const gate = (id: string, services: readonly string[]): View[] =>
    visitors.flatMap((visitor) => {
      const view = { ...at(visitor, id, [], false), subject: id, who: visitor.name, services };
      if (visitor.principal?.name !== somebody) return [view];
      return [view, { ...at(visitor, id, [anything], false), subject: id, who: `${visitor.name}, whom IAM allows everything`, services }];
    });
  /** What is let through in clear, be it of somebody whom IAM allows everything. */
  const inClear = (id: string, services: readonly string[]): View[] => {
    const attached = stack.guarded.get(id) ?? [];
    const visitor = visitors.find(({ principal }) => principal?.name === somebody);
    if (visitor === undefined || !isReachedInClear(attached)) return [];
    const caller: Caller = { ...visitor.caller, known: new Map([...visitor.caller.known, ['aws:securetransport', 'false']]) };
    return attached.map((pattern) => ({
      ...at({ ...visitor, caller }, id, [anything], false),
      subject: id,
      who: `${visitor.name}, whom IAM allows everything, in clear`,
      resource: pattern.replaceAll('*', 'x'),
      services,
    }));
  };
  const notOthers = <T extends { readonly tags: Readonly<Record<string, string>> }>(of: readonly T[]): T[] =>
    of.filter((one) => ownerOf(one) !== other);
  return [
    ...notOthers(stack.keys).flatMap((key) => lock(key.policy, key.arn, ['kms'], ownerOf(key))),
    ...notOthers(stack.principals).flatMap((role) => lock(role.trust ?? '', role.arn, ['sts'], ownerOf(role))),
    ...[...stack.policies].flatMap(([id, { Statement }]) => {
      if (!id.startsWith('resource ')) return [];
      const services = [...new Set(list(Statement).flatMap(({ Action }) => list(Action).map((action) => action.split(':')[0] ?? '')))];
      return [...gate(id, services), ...inClear(id, services)];
    }),
  ];
}
