/** P2, P3: what principals may do that are no tenant's session: the functions' own roles, other roles of the stack, and the operator. */
import { operatorOf } from './chains.ts';
import { and, type Formula, not, or } from './formula.ts';
import { anything, boundaryDenies, deployed, keyPolicyOf, type Lens, ownDenies, policyOf } from './lenses.ts';
import { everySecret } from './own.ts';
import { knownActions, type Question, question } from './question.ts';
import { isReachedInClear, type Principal, type Stack } from './stack.ts';
import type { Translation } from './translate.ts';

const ask = (
  principal: Principal,
  lens: Lens,
  property: string,
  must: (say: Translation) => Formula,
  action: 'any' | { known: readonly string[] } = 'any',
) =>
  question({
    property,
    about: `${principal.name}, ${lens.name}`,
    session: { principal },
    action,
    policies: lens.policies,
    uses: lens.uses,
    must,
  });

/** Secrets under the tenants' path, items of the tables of tenants, and keys used in a tenant's name or for a tenant's secret. */
const tenantData =
  (stack: Stack) =>
  (say: Translation): Formula => {
    const tables = [stack.tables.registry, stack.tables.attribution];
    return or(
      and(say.asks('secretsmanager:*'), say.is('resource', 'like', everySecret)),
      and(
        say.asks('dynamodb:*'),
        say.is('resource', 'like', ...tables, ...tables.map((table) => `${table}/*`)),
        not(say.is('resource', 'exact', `${stack.tables.registry}/index/due`)),
      ),
      and(
        say.asks('kms:*'),
        or(say.is('kms:EncryptionContext:SecretARN', 'like', everySecret), say.present('kms:EncryptionContext:TenantId')),
      ),
    );
  };

/** One function reads policies, of all there is: what they say is nobody's data. Each action is named. */
const isAuditor = ({ boundary }: Principal): boolean => boundary === 'managed AuditBoundary';
const readingPolicies = ['dynamodb:GetResourcePolicy', 'kms:GetKeyPolicy', 'kms:ListAliases', 'kms:ListGrants', 'kms:ListResourceTags'];
const readingIdentities = ['iam:GetAccountAuthorizationDetails', 'iam:ListRoles', 'iam:SimulateCustomPolicy'];
const noTenantData =
  (stack: Stack, principal: Principal) =>
  (say: Translation): Formula =>
    isAuditor(principal) ? or(not(tenantData(stack)(say)), say.asks(...readingPolicies)) : not(tenantData(stack)(say));

/** What it found, and nothing to workers of another bus. */
const tellsOneBus =
  ({ resources }: Stack) =>
  (say: Translation): Formula =>
    or(not(say.asks('events:PutEvents')), say.is('resource', 'exact', ...resources.filter((arn) => arn.includes(':event-bus/'))));

const writingRevoked = ['iam:CreatePolicyVersion', 'iam:DeletePolicyVersion', 'iam:GetPolicyVersion', 'iam:ListPolicyVersions'];

/** IAM is read and written by nobody, but for the versions of `Revoked`. */
const identities =
  (stack: Stack) =>
  (say: Translation): Formula =>
    or(not(say.asks('iam:*')), and(say.asks(...writingRevoked), say.is('resource', 'exact', stack.arns.get('managed Revoked') ?? '')));
const revokedOnly =
  (stack: Stack) =>
  (say: Translation): Formula =>
    or(not(say.is('resource', 'exact', stack.arns.get('managed Revoked') ?? '')), say.asks(...writingRevoked));

const readsIdentities = (say: Translation): Formula => or(not(say.asks('iam:*')), say.asks(...readingIdentities));

const makingWithTags = ['dynamodb:CreateTable', 'iam:CreateRole', 'iam:CreateUser', 'kms:CreateKey', 'secretsmanager:CreateSecret'];

/** Tags of tenants are set by tenants' sessions alone. */
const setsNoTag = (say: Translation): Formula =>
  and(
    not(say.asks('*:Tag*', '*:Untag*', '*:*Tag', '*:*Tags')),
    or(not(say.asks(...makingWithTags)), not(say.present('aws:RequestTag/TenantId'))),
  );
const tagging = (say: Translation): Formula => or(say.asks('sts:TagSession', 'kms:ListResourceTags', 'lambda:ListTags'), setsNoTag(say));

export function standingQuestions(stack: Stack): Question[] {
  const functions = stack.principals.filter(({ kind }) => kind === 'function');
  const others = [...stack.principals.filter(({ kind }) => kind === 'other'), operatorOf()];
  const revokedWriters = functions.filter((principal) =>
    principal.identity.some((id) => JSON.stringify(stack.policies.get(id)).includes('iam:CreatePolicyVersion')),
  );
  return [
    ...functions.flatMap((principal) => [
      // Everybody is let in by every resource, and everything is attached to the role: the boundary alone.
      ask(principal, boundaryDenies(stack, principal), 'P2 functions: no tenant data', noTenantData(stack, principal)),
      ask(
        principal,
        boundaryDenies(stack, principal),
        'P2 functions: no identities',
        isAuditor(principal) ? readsIdentities : and2(identities(stack), revokedOnly(stack)),
      ),
      ...(isAuditor(principal)
        ? [ask(principal, boundaryDenies(stack, principal), 'P2 functions: the audit tells one bus', tellsOneBus(stack))]
        : []),
      ask(principal, deployed(stack, principal), 'P2 functions: no tenant data', noTenantData(stack, principal)),
      ask(principal, deployed(stack, principal), 'P2 functions: no identities', (say) =>
        isAuditor(principal) ? readsIdentities(say) : revokedWriters.includes(principal) ? identities(stack)(say) : not(say.asks('iam:*')),
      ),
      ask(principal, deployed(stack, principal), 'P3 functions: set no tag', tagging),
    ]),
    ...others.flatMap((principal) => [
      ask(principal, deployed(stack, principal), 'P2 other roles: no tenant data', (say) => not(reads(stack, principal)(say))),
      ask(principal, deployed(stack, principal), 'P2 other roles: no identities', (say) => not(say.asks('iam:*'))),
      ask(principal, deployed(stack, principal), 'P3 other roles: set no tag', tagging),
    ]),
    // What else the role carries that somebody signs in with: the Denies of `OperatorAccess` hold against it.
    ask(operatorOf(), ownDenies(stack, operatorOf()), 'P2 operator: no secret, key, role or identity', operatorLimits(stack)),
    question({
      property: 'P2 functions: one writes Revoked',
      about: 'the stack',
      session: { principal: operatorOf() },
      action: 'any',
      policies: { identity: [] },
      uses: functions.flatMap(({ identity }) => identity),
      must: () => revokedWriters.length === 1,
    }),
    // Queues, the bucket of templates and the topic of alarms, whoever asks.
    ...[...stack.guarded]
      .filter(([, resources]) => isReachedInClear(resources))
      .map(([id, resources]) =>
        question({
          property: 'P2 queues, buckets and topics: nothing in clear',
          about: id,
          session: { principal: operatorOf() },
          action: 'any',
          policies: { identity: [anything], resource: policyOf(stack, id) },
          uses: [id],
          assume: (say) => and(say.asks(...resources.map(isAskedOf)), say.is('resource', 'like', ...resources)),
          must: (say) => not(say.is('aws:SecureTransport', 'ignoring-case', 'false')),
        }),
      ),
    ...[...functions, ...others].flatMap((principal) =>
      stack.keys.map((key) => {
        const lens = deployed(stack, principal, keyPolicyOf(stack, key));
        return question({
          property: `P2 keys: ${key.name} is used for no tenant`,
          about: `${principal.name}, ${lens.name}`,
          session: { principal },
          action: knownActions('kms'),
          resource: key.arn,
          policies: lens.policies,
          uses: lens.uses,
          must: noTenantData(stack, principal),
        });
      }),
    ),
  ];
}

/** A topic holds nothing: what is told it is all there is to it. */
const isAskedOf = (arn: string): string => (arn.startsWith('arn:aws:sns:') ? 'sns:Publish' : `${arn.split(':')[2]}:*`);

const and2 =
  (...rules: readonly ((say: Translation) => Formula)[]) =>
  (say: Translation): Formula =>
    and(...rules.map((rule) => rule(say)));

/** The operator reads the registry, which holds no secret; nobody else reads a table. */
const reads =
  (stack: Stack, { name }: Principal) =>
  (say: Translation): Formula =>
    name === operatorOf().name
      ? and(
          tenantData(stack)(say),
          not(
            and(
              say.asks('dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'),
              say.is('resource', 'exact', stack.tables.registry),
            ),
          ),
        )
      : tenantData(stack)(say);

const operatorLimits =
  (stack: Stack) =>
  (say: Translation): Formula =>
    and(
      not(say.asks('iam:*', 'kms:*', 'secretsmanager:*')),
      or(
        not(say.asks('sts:AssumeRole')),
        say.is('resource', 'exact', stack.principals.find(({ name }) => name === 'TenantAuditor')?.arn ?? ''),
      ),
    );
