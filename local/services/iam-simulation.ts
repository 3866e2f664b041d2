/**
 * SimulatePrincipalPolicy: what the policies of a user or role would decide, by the same evaluator that decides here. Its permissions boundary
 * counts; trust and resource policies do not, as in AWS. Statements are named by their policy only, without their position in its text.
 * Source: IAM API Reference, SimulatePrincipalPolicy, EvaluationResult, Statement; IAM User Guide, "Testing IAM policies with the policy simulator".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Identity, IdentityStore } from '../core/identity-store.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { type CompiledPolicy, compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { Decision, PolicyDocument } from '../iam/policy.ts';
import { page, paged, policyArn, policyText } from './iam-members.ts';
import { notFound, resourceTags } from './iam-needs.ts';
import { identityPolicy, statementsOf } from './iam-policy-document.ts';
import { queryOperation } from './query-operation.ts';

export const contextEntry = z.strictObject({
  ContextKeyName: z.string().min(5).max(256),
  ContextKeyValues: z.array(z.string()),
  ContextKeyType: z.enum([
    'string',
    'stringList',
    'numeric',
    'numericList',
    'boolean',
    'booleanList',
    'ip',
    'ipList',
    'binary',
    'binaryList',
    'date',
    'dateList',
  ]),
});
const simulation = z.strictObject({
  PolicySourceArn: policyArn,
  ActionNames: z.array(z.string().min(3).max(128)).min(1),
  ResourceArns: z.array(z.string().min(1).max(2048)).min(1).default(['*']),
  ContextEntries: z.array(contextEntry).default([]),
  /** Policies that count as if they were attached too. */
  PolicyInputList: z.array(policyText).default([]),
  ...page,
});
type Simulation = z.output<typeof simulation>;

export interface Source {
  readonly compiled: CompiledPolicy;
  readonly document: PolicyDocument;
}

export function simulationOperations(store: IdentityStore): Record<string, Operation> {
  return queryOperation(
    'SimulatePrincipalPolicy',
    simulation,
    ({ PolicySourceArn }) => [simulationNeed(store, PolicySourceArn)],
    (input, scope) => {
      const identity = sourceOf(store, scope, input.PolicySourceArn);
      const results = input.ActionNames.flatMap((action) => input.ResourceArns.map((resource) => ({ action, resource })));
      const numbered = results.map((asked, index) => ({ ...asked, name: String(index).padStart(8, '0') }));
      const { items, ...rest } = paged(numbered, ({ name }) => name, input);
      const policies = policiesOf(store, identity, input.PolicyInputList);
      return { EvaluationResults: items.map((asked) => resultOf(store, identity, policies, input, asked)), ...rest };
    },
  );
}

function simulationNeed(store: IdentityStore, arn: string): Need {
  const identity = store.identityByArn(arn);
  return {
    action: 'iam:SimulatePrincipalPolicy',
    resource: arn,
    context: identity === undefined ? {} : resourceTags(identity.tags),
  };
}

/** Throws AwsError: InvalidInput (no user or role of this account), NoSuchEntity. */
function sourceOf(store: IdentityStore, scope: Scope, arn: string): Identity {
  const [, accountId, kind, name = ''] = /^arn:aws:iam::(\d{12}):(role|user)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  if (accountId !== scope.accountId) throw invalidInput(`Invalid Entity Arn: ${arn}`);
  return store.identityByArn(arn) ?? notFound(`The ${kind} with name ${name} cannot be found.`);
}

/** In AWS's names: `role_{role}_{policy}` for an inline policy, a managed one's own name, `PolicyInputList.{n}` for what the call brings. */
function policiesOf(store: IdentityStore, identity: Identity, added: readonly string[]): readonly Source[] {
  const source = (name: string, document: PolicyDocument): Source => ({ compiled: compilePolicy(name, 'identity', document), document });
  const attached = [...identity.attachedPolicyArns].flatMap((arn) => {
    const policy = store.policyByArn(arn);
    const document = policy?.versions.get(policy.defaultVersionId)?.document;
    return policy === undefined || document === undefined ? [] : [source(policy.name, document)];
  });
  const inline = [...identity.inlinePolicies].map(([name, { document }]) => source(`${identity.kind}_${identity.name}_${name}`, document));
  const brought = added.map((text, index) => {
    const name = `PolicyInputList.${index + 1}`;
    return source(name, identityPolicy(name, text).document);
  });
  return [...attached, ...inline, ...brought];
}

function resultOf(
  store: IdentityStore,
  identity: Identity,
  policies: readonly Source[],
  input: Simulation,
  { action, resource }: { readonly action: string; readonly resource: string },
): object {
  if (resource !== '*' && !resource.startsWith('arn:')) throw invalidInput(`Invalid resource: ${resource}`);
  const boundary = boundaryOf(store, identity);
  const context = requestContext(Object.fromEntries(input.ContextEntries.map((entry) => [entry.ContextKeyName, entry.ContextKeyValues])));
  const ask = (identityPolicies: readonly CompiledPolicy[], limit = boundary?.compiled): Decision =>
    evaluate({
      principal: { kind: identity.kind === 'role' ? 'role-session' : 'user', accountId: identity.accountId, arn: identity.arn },
      action,
      resource,
      context,
      identity: identityPolicies,
      ...(limit === undefined ? {} : { boundary: limit }),
      resourceAccountId: identity.accountId,
      simulated: true,
    });
  const decision = ask(policies.map(({ compiled }) => compiled));
  if (decision.reason === 'unsupported') throw invalidInput(decision.message);
  const allows = decision.allowed ? policies.flatMap(({ compiled }) => ask([compiled]).deciding?.policy ?? []) : [];
  const matched = decision.allowed ? allows : decision.denies.map(({ policy }) => policy);
  const everything = boundary === undefined ? policies : [...policies, boundary];
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision.allowed ? 'allowed' : decision.reason === 'explicit-deny' ? 'explicitDeny' : 'implicitDeny',
    MatchedStatements: matched.map((policy) => ({ SourcePolicyId: policy, SourcePolicyType: 'IAM Policy' })),
    MissingContextValues: missingKeys(everything, context),
    ...(boundary === undefined
      ? {}
      : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: ask([boundary.compiled]).allowed } }),
  };
}

function boundaryOf(store: IdentityStore, { boundaryArn }: Identity): Source | undefined {
  const policy = boundaryArn === undefined ? undefined : store.policyByArn(boundaryArn);
  const document = policy?.versions.get(policy.defaultVersionId)?.document;
  if (boundaryArn === undefined) return undefined;
  if (policy === undefined || document === undefined) throw invalidInput(`The permissions boundary ${boundaryArn} does not exist.`);
  return { compiled: compilePolicy(policy.name, 'boundary', document), document };
}

/** Keys that the policies ask for, in conditions or as variables, and the call does not give. */
export function missingKeys(policies: readonly Source[], given: ReadonlyMap<string, unknown>): readonly string[] {
  const keys = policies.flatMap(({ document }) =>
    statementsOf(document).flatMap(({ Condition, Resource, NotResource }) => [
      ...Object.values(Condition ?? {}).flatMap((entries) => Object.keys(entries)),
      ...[...JSON.stringify([Condition, Resource, NotResource]).matchAll(/\$\{([^}',*?$]+)/g)].map(([, name = '']) => name.trim()),
    ]),
  );
  const byName = new Map(keys.map((key) => [key.toLowerCase(), key]));
  return [...byName].filter(([name]) => !given.has(name)).map(([, key]) => key);
}

export function invalidInput(message: string): AwsError {
  return new AwsError('InvalidInput', message, 400);
}
