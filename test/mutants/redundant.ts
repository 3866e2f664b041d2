/** Rules that say what another rule says as well, on purpose, and why they stand there. A mutant of theirs changes no decision: the solver shows it each time. */

interface Redundant {
  readonly name: string;
  readonly policy: RegExp;
  readonly mutant: RegExp;
  readonly reason: string;
}

export const redundant: readonly Redundant[] = [];

export const ruleFor = (policy: string, mutant: string): Redundant | undefined =>
  redundant.find((rule) => rule.policy.test(policy) && rule.mutant.test(mutant));
