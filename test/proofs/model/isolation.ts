/** P1, P5: a session of one tenant, in each of its roles, and another tenant's data; a session of one user, and another user's. */
import { and, type Formula, implies, not, or } from './formula.ts';
import {
  anythingAttached,
  boundaryDenies,
  deployed,
  keyAllows,
  keyAlone,
  keyDenies,
  keyPolicyOf,
  type Lens,
  ownAllows,
  ownDenies,
} from './lenses.ts';
import { own } from './letters.ts';
import {
  contextNamesAgree,
  contextOfOwnUser,
  foreign,
  keysAreNotEmpty,
  ofOwnTier,
  ofOwnUser,
  ownContext,
  ownItems,
  ownSecret,
  ownSecretPath,
  tagsOnce,
  users,
} from './own.ts';
import { type Ask, knownActions, type Question, question, type Session } from './question.ts';
import { account, ownerOf, type Principal, region, type Stack } from './stack.ts';
import type { Translation } from './translate.ts';

/** The roles in which somebody acts for the letter's tenant: those all share, and its own. */
export const tenantRoles = (stack: Stack): Principal[] =>
  stack.principals.filter((principal) => principal.kind === 'tenant' && (ownerOf(principal) ?? own) === own);

const keyUse = /^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt)/;
const keyUses = { known: knownActions('kms').known.filter((action) => keyUse.test(action)) };

type Part = Pick<Ask, 'property' | 'action' | 'must'> & Partial<Pick<Ask, 'resource' | 'given' | 'assume'>>;

export function isolationQuestions(stack: Stack): Question[] {
  return tenantRoles(stack).flatMap((principal) =>
    users.flatMap((user) => {
      const session: Session = { principal, tenant: own, ...(user !== undefined && { user }) };
      const who = `${principal.name}${user === undefined ? '' : ' for a user'}`;
      const ask = (lens: Lens, part: Part): Question =>
        question({ ...part, about: `${who}, ${lens.name}`, session, policies: lens.policies, uses: lens.uses });
      const denies = [ownDenies(stack, principal), boundaryDenies(stack, principal)];
      const plain = [...denies, ownAllows(stack, principal, account), anythingAttached(stack, principal), deployed(stack, principal)];
      const allowing = [ownAllows(stack, principal, account), anythingAttached(stack, principal), deployed(stack, principal)];
      const known = knownActions('secretsmanager');
      return [
        ...plain.flatMap((lens) => [
          ask(lens, { property: 'P1 secrets: own path, own tag', action: known, must: ownSecret }),
          ask(lens, {
            property: 'P1 secrets: own path, by whatever action there may be',
            action: 'any',
            must: (say) => or(not(say.asks('secretsmanager:*')), ownSecretPath(say)),
          }),
          ask(lens, { property: 'P1 items: own keys', action: knownActions('dynamodb'), assume: keysAreNotEmpty, must: ownItems }),
        ]),
        ...[...denies, anythingAttached(stack, principal), deployed(stack, principal)].flatMap((lens) => [
          ask(lens, { property: 'P5 secrets: of no other user', action: known, must: ofOwnUser(user) }),
          ask(lens, { property: 'P3 secrets: tagged once', action: known, must: tagsOnce }),
          ask(lens, { property: 'P1 secrets: of the own tier', action: known, must: ofOwnTier(principal) }),
          ask(lens, { property: 'P1 walls: nobody moves them', action: 'any', must: standing }),
          ask(lens, { property: 'E3 attribution: what is on record stays', action: knownActions('dynamodb'), must: appendOnly(stack) }),
        ]),
        ...[...denies, ownAllows(stack, principal, account, true)].map((lens) =>
          ask(lens, { property: 'P1 keys: own context', action: keyUses, assume: contextNamesAgree, must: ownContext }),
        ),
        ...denies.map((lens) => ask(lens, { property: 'P5 keys: of no other user', action: keyUses, must: contextOfOwnUser(user) })),
        ...allowing
          // A provisioner's session makes roles by an Allow, and no Deny says how: a policy attached to it could widen that. See docs/isolation.md.
          .filter((lens) => lens.name !== 'with a policy attached that allows everything' || principal.name !== 'TenantProvisioner')
          .map((lens) =>
            ask(lens, { property: 'P1 P4 identities: own roles, as they were made to be', action: 'any', must: ownIdentities(stack) }),
          ),
        ask(deployed(stack, principal), { property: 'P1 nothing but the services of a tenant', action: 'any', must: services }),
        ...keysOf(stack, principal, user).map(({ lens, part }) => ask(lens, part)),
      ];
    }),
  );
}

const forNobody = [
  ...['BatchGetSecretValue', 'DeleteResourcePolicy', 'ListSecrets', 'PutResourcePolicy', 'RemoveRegionsFromReplication'],
  ...['ReplicateSecretToRegions', 'StopReplicationToReplica', 'UntagResource'],
].map((name) => `secretsmanager:${name}`);

/** Resource policies, tags that exist, copies elsewhere and lists of others' names; and a token that says of oneself what one likes. */
const standing = (say: Translation): Formula => not(say.asks(...forNobody, 'sts:TagGetWebIdentityToken'));

/** An insert fails on an existing key; whatever else writes could overwrite. */
const appendOnly =
  (stack: Stack) =>
  (say: Translation): Formula =>
    not(
      and(
        say.is('resource', 'exact', stack.tables.attribution),
        or(
          ...['BatchWriteItem', 'DeleteItem', 'PartiQLDelete', 'PartiQLUpdate', 'PutItem', 'UpdateItem'].map((name) =>
            say.asks(`dynamodb:${name}`),
          ),
        ),
      ),
    );

const services = (say: Translation): Formula =>
  or(...['dynamodb', 'iam', 'kms', 'secretsmanager', 'sts', 'tag'].map((service) => say.asks(`${service}:*`)));

/** IAM: the two roles of the tenant, under the boundary, tagged as the tenant's, with none but the policies they are made for; KMS: keys that carry its tag. */
function ownIdentities(stack: Stack): (say: Translation) => Formula {
  const roles = stack.principals.filter((one) => ownerOf(one) === own);
  const boundary = stack.arns.get('managed TenantBoundary') ?? '';
  const attachable = [...new Set(roles.flatMap(({ identity }) => identity))].map((id) => stack.arns.get(id) ?? '');
  return (say) => {
    const ownTag = say.is('aws:RequestTag/TenantId', 'exact', own);
    const untagged = not(say.present('aws:ResourceTag/TenantId'));
    return and(
      implies(
        say.asks('iam:*'),
        and(
          say.asks('iam:CreateRole', 'iam:TagRole', 'iam:AttachRolePolicy', 'iam:GetRole'),
          say.is('resource', 'exact', ...roles.map(({ arn }) => arn)),
          implies(say.asks('iam:CreateRole'), and(ownTag, say.is('iam:PermissionsBoundary', 'exact', boundary))),
          implies(say.asks('iam:TagRole'), ownTag),
          implies(say.asks('iam:AttachRolePolicy'), say.is('iam:PolicyARN', 'exact', ...attachable)),
        ),
      ),
      implies(say.asks('kms:CreateKey'), ownTag),
      implies(say.asks('kms:TagResource'), and(ownTag, untagged)),
      implies(
        say.asks('kms:CreateAlias', 'kms:DescribeKey', 'kms:EnableKeyRotation'),
        or(
          and(say.is('resource', 'like', `arn:aws:kms:${region}:${account}:key/*`), say.is('aws:ResourceTag/TenantId', 'exact', own)),
          and(say.asks('kms:CreateAlias'), say.is('resource', 'exact', `arn:aws:kms:${region}:${account}:alias/cordon/${own}`)),
        ),
      ),
    );
  };
}

const anyone = (): Formula => true;
const and2 =
  (...rules: readonly ((say: Translation) => Formula)[]) =>
  (say: Translation): Formula =>
    and(...rules.map((rule) => rule(say)));

/** Each key of the stack and of the two dedicated tenants: by its own policy, and as deployed. */
function keysOf(stack: Stack, principal: Principal, user: string | undefined): { lens: Lens; part: Part }[] {
  return stack.keys.flatMap((key) => {
    const given = Object.fromEntries(['TenantId', 'Tier'].map((name) => [`aws:ResourceTag/${name}`, key.tags[name]]));
    const common = { resource: key.arn, given, assume: contextNamesAgree };
    const owner = ownerOf(key);
    const forTenants = owner !== undefined || key.name.startsWith('TenantKey');
    // Another tenant's key is for nothing; of the platform's keys, what they hold is told apart by the context.
    const must = owner === foreign ? (): Formula => false : ownContext;
    return [
      ...(forTenants
        ? // The supplier may use every tenant's key, and which of them its session may is said by an Allow.
          [
            keyAlone(stack, key),
            ...(owner === own || (owner === foreign && principal.name === 'TenantSupplier') ? [] : [keyDenies(stack, key)]),
          ].map((lens) => ({
            lens,
            part: {
              ...common,
              property: `P1 keys: ${key.name}`,
              action: keyUses,
              must: and2(must, owner === undefined ? contextOfOwnUser(user) : anyone),
            },
          }))
        : []),
      ...(forTenants
        ? // Whose user is told apart by the Denies.
          [{ lens: keyAllows(stack, key), part: { ...common, property: `P1 keys: ${key.name}`, action: keyUses, must } }]
        : []),
      {
        lens: deployed(stack, principal, keyPolicyOf(stack, key)),
        part: {
          ...common,
          property: `P1 keys: ${key.name}, whatever the action`,
          action: 'any' as const,
          must: (say: Translation) =>
            or(
              not(say.asks('kms:*')),
              // Makes a key and names none.
              say.asks('kms:CreateKey'),
              owner === own ? or(ownContext(say), say.is('aws:ResourceTag/TenantId', 'exact', own)) : must(say),
            ),
        },
      },
    ];
  });
}

/** A session without a tenant, or with an empty one, may do nothing at all. */
export function tenantlessQuestions(stack: Stack): Question[] {
  return tenantRoles(stack)
    .filter((principal) => ownerOf(principal) === undefined)
    .flatMap((principal) =>
      [undefined, ''].flatMap((tenant) =>
        [ownDenies(stack, principal), boundaryDenies(stack, principal)].map((lens) =>
          question({
            property: 'P1 a session without a tenant does nothing',
            about: `${principal.name} ${tenant === undefined ? 'without' : 'with an empty'} tenant, ${lens.name}`,
            session: { principal, ...(tenant !== undefined && { tenant }) },
            action: 'any',
            policies: lens.policies,
            uses: lens.uses,
            must: () => false,
          }),
        ),
      ),
    );
}
