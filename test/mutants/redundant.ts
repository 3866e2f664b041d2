/** Rules that say what another rule says as well, on purpose, and why they stand there. A mutant of theirs changes no decision: the solver shows it each time. */

interface Redundant {
  readonly name: string;
  readonly policy: RegExp;
  readonly mutant: RegExp;
  readonly reason: string;
}

export const redundant: readonly Redundant[] = [
  {
    name: 'the one policy that a function may write is named by an Allow too',
    policy: /^managed FunctionBoundary$/,
    mutant: /^WriteRevoked: Resource .* widened to \*$/,
    reason: 'Two Denies of the same boundary refuse every change of other policies, and of this one but for its versions.',
  },
  {
    name: 'nothing but their assumption is refused to workers and operators on the roles of others',
    policy: /^(inline R(otation|evocation)FunctionRole\w* |managed OperatorAccess$)/,
    mutant: /^DenyOther(Tenant)?Roles: Action sts:AssumeRole widened to sts:\*$/,
    reason: 'No other action of STS on these roles is allowed to them by anything; a Deny names what it is about all the same.',
  },
  {
    name: 'the auditor consumes its queue by a statement of its own',
    policy: /^inline PolicyAuditFunctionRole/,
    mutant: /^ConsumeQueue: Action without sqs:GetQueueAttributes$/,
    reason: 'It reads the policies of all queues, and so the attributes of its own; what consumes a queue is the same for every worker.',
  },
  {
    name: 'grants on a dedicated key are refused, and allowed to nobody',
    policy: /^key dedicated$/,
    mutant: /^DenyUseByOthers: Action without kms:CreateGrant$/,
    reason: 'No Allow of the key’s policy has it. An administrator who adds one lets in none but the tenant’s roles.',
  },
];

export const ruleFor = (policy: string, mutant: string): Redundant | undefined =>
  redundant.find((rule) => rule.policy.test(policy) && rule.mutant.test(mutant));
