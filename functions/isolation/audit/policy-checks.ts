import type { CheckedAs } from './fact.ts';
import type { PolicyDocument } from './policy-document.ts';

/** What the simulator is asked: the policies of one identity, and one request for each action on each resource. */
export interface Simulation {
  readonly policies: readonly PolicyDocument[];
  readonly boundary: PolicyDocument | undefined;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Condition keys of the request. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** AWS's own judgement of policies. All throw CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED. */
export interface PolicyChecks {
  /**
   * Whether `now` allows any request that `before` did not; both by themselves, without what else may refuse it.
   *
   * @returns which statements do, in words; empty when none does
   */
  newAccess(before: PolicyDocument | undefined, now: PolicyDocument, checkedAs: CheckedAs): Promise<readonly string[]>;
  /** Whether a policy lets in whoever asks. False for kinds of policy that Access Analyzer does not check for it. */
  isPublic(document: PolicyDocument, checkedAs: CheckedAs): Promise<boolean>;
  /** Those of the requests that the identity's policies allow together: `{action} on {resource}`. */
  allowed(simulation: Simulation): Promise<readonly string[]>;
}
