/** P1, P3, P5: what a session can become by assuming a role, and what tags those bring who may mint one. One step is asked; whatever keeps the tenant in one step keeps it in any number. */
import { and, type Formula, not, or, Request } from './formula.ts';
import { tenantRoles } from './isolation.ts';
import { anything, anythingAttached, boundaryDenies, deployed, type Lens, ownAllows, ownDenies, trustOf } from './lenses.ts';
import { own, self } from './letters.ts';
import { roleArn, tagKeysAgree, users } from './own.ts';
import { type Ask, callerOfSession, type Question, question, type Session } from './question.ts';
import { account, ownerOf, type Principal, type Stack } from './stack.ts';
import { Translation } from './translate.ts';

/** AssumeRole with tags asks for both; without tags for the first alone. */
const calls = [
  { tagged: true, all: ['sts:AssumeRole', 'sts:TagSession'] },
  { tagged: false, all: ['sts:AssumeRole'] },
] as const;

/** The tag that the session made by this call carries: the call's, or else the role's own. */
function tagAfter(say: Translation, target: Principal, name: string, value: string): Formula {
  const requested = `aws:RequestTag/${name}`;
  return or(say.is(requested, 'exact', value), and(not(say.present(requested)), target.tags[name] === value));
}
const hasTagAfter = (say: Translation, target: Principal, name: string): Formula =>
  or(say.present(`aws:RequestTag/${name}`), target.tags[name] !== undefined);

type Rule = (say: Translation) => Formula;

/** A call that makes a session of `target`: what must be true of it. */
function stepQuestions(
  stack: Stack,
  session: Session,
  target: Principal,
  lenses: readonly Lens[],
  property: string,
  must: Rule,
): Question[] {
  return lenses.flatMap((lens) =>
    calls.map(({ tagged, all }) =>
      question({
        property,
        about: `${session.principal.name}${session.user === undefined ? '' : ' for a user'} to ${target.name}${tagged ? '' : ' without tags'}, ${lens.name}`,
        session,
        action: { all },
        resource: target.arn,
        policies: { ...lens.policies, resource: trustOf(stack, target), resourceRequired: true },
        uses: [...lens.uses, target.trust ?? ''],
        assume: (say) => and(tagKeysAgree(say), tagged ? say.present('aws:TagKeys') : not(say.present('aws:TagKeys'))),
        must,
      }),
    ),
  );
}

/** Tags that travel on with the session could not be checked where they arrive. */
const nothingTravels: Rule = (say) => not(say.present('sts:TransitiveTagKeys'));

const noOtherTags: Rule = (say) => say.each('aws:TagKeys', 'exact', 'TenantId', 'UserId');

/** By the trust policies alone, whatever else holds. */
function tenantlessSteps(stack: Stack): Question[] {
  const sessions = tenantRoles(stack).filter((principal) => ownerOf(principal) === undefined);
  const lens: Lens = { name: 'whatever IAM allows', policies: { identity: [anything] }, uses: [] };
  return sessions.flatMap((principal) =>
    stack.principals
      .filter(({ kind }) => kind === 'tenant')
      .flatMap((target) =>
        stepQuestions(
          stack,
          { principal, tenant: '' },
          target,
          [lens],
          'P1 chains: a session with an empty tenant becomes nothing',
          () => false,
        ),
      ),
  );
}

/** The roles that a user's session may take without its user: they do nothing but take the role of a customer's account. */
const withoutUser: readonly string[] = ['ByocConnector', 'ByocProbe'];

/** What those roles may do, whatever else is attached to them. */
function connectorQuestions(stack: Stack): Question[] {
  return tenantRoles(stack)
    .filter(({ name }) => withoutUser.includes(name))
    .map((principal) => {
      const lens = deployed(stack, principal);
      return question({
        property: 'P5 chains: a session that lost its user takes customers’ roles and does nothing else',
        about: `${principal.name}, ${lens.name}`,
        session: { principal, tenant: own },
        action: 'any',
        policies: lens.policies,
        uses: lens.uses,
        must: (say) => say.asks('sts:AssumeRole'),
      });
    });
}

export function chainQuestions(stack: Stack): Question[] {
  const lensesOf = (principal: Principal) => [deployed(stack, principal), anythingAttached(stack, principal)];
  const steps = tenantRoles(stack).flatMap((principal) =>
    users.flatMap((user) => {
      const session: Session = { principal, tenant: own, ...(user !== undefined && { user }) };
      return stack.principals.flatMap((target) => [
        ...stepQuestions(stack, session, target, lensesOf(principal), 'P1 chains: the same tenant', (say) =>
          and(tagAfter(say, target, 'TenantId', own), nothingTravels(say), noOtherTags(say)),
        ),
        ...(user === undefined
          ? []
          : stepQuestions(stack, session, target, lensesOf(principal), 'P5 chains: no other user', (say) =>
              or(tagAfter(say, target, 'UserId', self), and(not(hasTagAfter(say, target, 'UserId')), withoutUser.includes(target.name))),
            )),
      ]);
    }),
  );
  return [...steps, ...tenantlessSteps(stack), ...connectorQuestions(stack)];
}

/** Who is no tenant session and makes one: it has a tenant, at most a user besides, and its tags stay with it. */
export function mintingQuestions(stack: Stack): Question[] {
  const minters = [...stack.principals.filter(({ kind }) => kind !== 'tenant'), operatorOf()];
  const targets = stack.principals.filter(({ kind }) => kind === 'tenant');
  return minters.flatMap((principal) =>
    targets.flatMap((target) =>
      stepQuestions(stack, { principal }, target, [deployed(stack, principal)], 'P3 minting: one tenant, nothing that travels', (say) => {
        const owner = ownerOf(target);
        return and(
          nothingTravels(say),
          noOtherTags(say),
          owner === undefined
            ? say.is('aws:RequestTag/TenantId', 'like', '?*')
            : not(or(say.present('aws:RequestTag/TenantId'), say.is('aws:RequestTag/UserId', 'exact', ''))),
        );
      }),
    ),
  );
}

/** A role of somebody else's account, whatever it is allowed there, becomes nothing of the stack's. */
export function strangerQuestions(stack: Stack): Question[] {
  const stranger: Principal = {
    name: 'a stranger',
    arn: 'arn:aws:iam::444455556666:role/Somebody',
    kind: 'other',
    identity: [],
    tags: {},
  };
  const everything = deployed(stack, stranger);
  return stack.principals.map((target) => {
    const ask: Ask = {
      property: 'P1 chains: nobody from outside',
      about: `to ${target.name}`,
      session: { principal: stranger },
      action: { all: ['sts:AssumeRole'] },
      resource: target.arn,
      policies: {
        ...everything.policies,
        identity: anythingAttached(stack, stranger).policies.identity,
        resource: trustOf(stack, target),
        resourceRequired: true,
        acrossAccounts: true,
      },
      uses: [target.trust ?? ''],
      must: () => false,
    };
    return question(ask);
  });
}

/** Beyond the stack: a chain out of a session leads to the customer roles of its own tenant, and to no other role of ours than the tenant's. */
export function targetQuestions(stack: Stack): Question[] {
  const reachable = stack.principals.flatMap(({ name, arn, kind, tags }) =>
    kind === 'tenant' && (tags['TenantId'] ?? own) === own && ['TenantReader', 'ByocConnector', 'ByocProbe'].includes(name) ? [arn] : [],
  );
  return tenantRoles(stack).flatMap((principal) =>
    [ownDenies(stack, principal), boundaryDenies(stack, principal), ownAllows(stack, principal, account), deployed(stack, principal)].map(
      (lens) =>
        question({
          property: 'P1 chains: to own roles and own customers only',
          about: `${principal.name}, ${lens.name}`,
          session: { principal, tenant: own },
          action: { all: ['sts:AssumeRole'] },
          policies: lens.policies,
          uses: lens.uses,
          must: (say) =>
            or(
              say.is('resource', 'exact', ...reachable, roleArn(`TenantAgent-${own}`)),
              say.is('resource', 'like', `arn:aws:iam::*:role/cordon.${own}.*`),
            ),
        }),
    ),
  );
}

/** Whether a role's trust policy has anything for a principal, whatever the call. */
function trusts(stack: Stack, target: Principal, principal: Principal): boolean {
  const caller = callerOfSession({ principal });
  return new Translation(new Request(), caller)
    .statements(trustOf(stack, target).document, 'Allow', true)
    .some(({ applies }) => applies !== false);
}

/** Workers that read keys of all tenants are held off the other shared roles by a Deny as well, whatever else they are given. */
const readsKeys = /^(Rotation|Revocation)FunctionRole/;

/** Whether a principal's own Allows name a role, whatever the call. */
function asksFor(stack: Stack, principal: Principal, target: Principal): boolean {
  const { principal: caller, known, bounded } = callerOfSession({ principal });
  const say = new Translation(new Request(), {
    principal: caller,
    known: new Map([...known, ['action', 'sts:AssumeRole'], ['resource', target.arn]]),
    bounded,
  });
  return ownAllows(stack, principal, account).policies.identity.some(({ document }) =>
    say.statements(document, 'Allow', false).some(({ applies }) => applies !== false),
  );
}

/** A function asks for no role that does not trust it: what the trust policy refuses, its own policy does not allow. */
export function trustedQuestions(stack: Stack): Question[] {
  const functions = stack.principals.filter(({ kind }) => kind === 'function');
  return functions.flatMap((principal) =>
    [deployed(stack, principal), ...(readsKeys.test(principal.name) ? [ownDenies(stack, principal)] : [])].flatMap((lens) =>
      stack.principals
        .filter((target) => target.kind === 'tenant')
        .filter((target) =>
          lens.name === 'as deployed'
            ? !trusts(stack, target, principal)
            : ownerOf(target) === undefined && !asksFor(stack, principal, target),
        )
        .map((target) =>
          question({
            property: 'P3 minting: no role is asked for that does not trust',
            about: `${principal.name} and ${target.name}, ${lens.name}`,
            session: { principal },
            action: { all: ['sts:AssumeRole'] },
            resource: target.arn,
            policies: lens.policies,
            uses: [...lens.uses, target.trust ?? ''],
            must: () => false,
          }),
        ),
    ),
  );
}

/** The role that people sign in with, which carries `OperatorAccess`. */
export const operatorOf = (): Principal => ({
  name: 'Operations',
  arn: `arn:aws:iam::${account}:role/Operations`,
  kind: 'other',
  identity: ['managed OperatorAccess'],
  tags: {},
});
