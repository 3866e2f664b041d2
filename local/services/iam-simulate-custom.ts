/**
 * SimulateCustomPolicy: what the policies that the call brings would decide together, by the same evaluator that decides here. Without a caller nothing but these policies
 * counts: no resource policy, no trust. Source: IAM API Reference, SimulateCustomPolicy.
 */
import { z } from 'zod';
import type { Operation } from '../core/service.ts';
import { compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { Decision, PolicyKind } from '../iam/policy.ts';
import { page, paged, policyText } from './iam-members.ts';
import { identityPolicy } from './iam-policy-document.ts';
import { contextEntry, invalidInput, missingKeys, type Source } from './iam-simulation.ts';
import { queryOperation } from './query-operation.ts';

const simulation = z.strictObject({
  PolicyInputList: z.array(policyText).min(1),
  PermissionsBoundaryPolicyInputList: z.array(policyText).max(1).default([]),
  ActionNames: z.array(z.string().min(3).max(128)).min(1),
  ResourceArns: z.array(z.string().min(1).max(2048)).min(1).default(['*']),
  ContextEntries: z.array(contextEntry).default([]),
  ...page,
});
type Simulation = z.output<typeof simulation>;

export function customSimulationOperations(): Record<string, Operation> {
  return queryOperation(
    'SimulateCustomPolicy',
    simulation,
    () => [{ action: 'iam:SimulateCustomPolicy', resource: '*' }],
    (input, { accountId }) => {
      const policies = sources(input.PolicyInputList, 'PolicyInputList', 'identity');
      const [boundary] = sources(input.PermissionsBoundaryPolicyInputList, 'PermissionsBoundaryPolicyInputList', 'boundary');
      const asked = input.ActionNames.flatMap((action) => input.ResourceArns.map((resource) => ({ action, resource })));
      const numbered = asked.map((one, index) => ({ ...one, name: String(index).padStart(8, '0') }));
      const { items, ...rest } = paged(numbered, ({ name }) => name, input);
      return { EvaluationResults: items.map((one) => resultOf({ policies, boundary, input, accountId, ...one })), ...rest };
    },
  );
}

function sources(texts: readonly string[], list: string, kind: PolicyKind): readonly Source[] {
  return texts.map((text, index) => {
    const name = `${list}.${index + 1}`;
    const { document } = identityPolicy(name, text, kind);
    return { compiled: compilePolicy(name, kind, document), document };
  });
}

function resultOf(asked: {
  readonly policies: readonly Source[];
  readonly boundary: Source | undefined;
  readonly input: Simulation;
  readonly accountId: string;
  readonly action: string;
  readonly resource: string;
}): object {
  const { policies, boundary, input, accountId, action, resource } = asked;
  if (resource !== '*' && !resource.startsWith('arn:')) throw invalidInput(`Invalid resource: ${resource}`);
  const context = requestContext(Object.fromEntries(input.ContextEntries.map((entry) => [entry.ContextKeyName, entry.ContextKeyValues])));
  const ask = (identity: readonly Source[]): Decision =>
    evaluate({
      principal: { kind: 'user', accountId, arn: `arn:aws:iam::${accountId}:user/simulated` },
      action,
      resource,
      context,
      identity: identity.map(({ compiled }) => compiled),
      ...(boundary && { boundary: boundary.compiled }),
      resourceAccountId: accountId,
      simulated: true,
    });
  const decision = ask(policies);
  if (decision.reason === 'unsupported') throw invalidInput(decision.message);
  const matched = decision.allowed
    ? policies.flatMap((policy) => ask([policy]).deciding?.policy ?? [])
    : decision.denies.map(({ policy }) => policy);
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision.allowed ? 'allowed' : decision.reason === 'explicit-deny' ? 'explicitDeny' : 'implicitDeny',
    MatchedStatements: matched.map((policy) => ({ SourcePolicyId: policy, SourcePolicyType: 'IAM Policy' })),
    MissingContextValues: missingKeys(boundary === undefined ? policies : [...policies, boundary], context),
  };
}
