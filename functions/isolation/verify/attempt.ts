import type { Check } from '../check.ts';

/** A call to AWS as its API has it: data, so that what is tried can be read as a list. */
export interface Attempt {
  readonly service: 'dynamodb' | 'kms' | 'secretsmanager' | 'sts' | 'tagging';
  /** e.g. `GetSecretValue`. */
  readonly operation: string;
  readonly input: object;
}

/** An attempt that IAM has to refuse, and the check that it is. */
export interface ForbiddenAttempt extends Attempt {
  readonly id: string;
  readonly test: Check['test'];
  readonly for: Check['service'];
  /** What is tried, for people: `read the secret of the other canary by its name`. */
  readonly what: string;
}

/**
 * `allowed`: it was done. `let-through`: IAM allowed it, and what was asked for was not there, or not possible: to whoever tries names the difference says which exist.
 * `no-answer`: it never came to a decision, or AWS did not answer.
 */
export type AttemptAnswer =
  | { readonly kind: 'allowed'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused' | 'let-through' | 'no-answer'; readonly code: string };

/** Makes a call in somebody's session. Does not reject. */
export type TryCall = (attempt: Attempt) => Promise<AttemptAnswer>;

/** What says of a request itself that it is none, or that AWS cannot now: AWS may say so before it asks IAM. */
const undecided =
  /^(Validation|Serialization|Syntax|InvalidParameter|InvalidAction|InvalidSignature|SignatureDoesNotMatch|Missing|Unknown|NotImplemented|Unsupported|IncompleteSignature|Throttl|TooManyRequests|RequestLimit|LimitExceeded|ProvisionedThroughput|ServiceUnavailable|Internal|ExpiredToken|InvalidClientTokenId|UnrecognizedClient|RequestExpired|PackedPolicyTooLarge|Http|KMSInternal|DependencyTimeout|MalformedPolicy|OutboundWebIdentityFederation)/;

/** What an error of AWS says, by its code and its HTTP status. */
export function decisionOf(code: string, status: number | undefined): 'let-through' | 'no-answer' {
  if (status === undefined || status >= 500 || status === 429 || undecided.test(code)) return 'no-answer';
  return 'let-through';
}

/** What the session that tried can do at all: without it a refusal says nothing. */
export interface Control {
  readonly works: boolean;
  /** e.g. `reading its own secret`. */
  readonly what: string;
  readonly code?: string | undefined;
}

/** What an attempt has shown. Pure. */
export function judged({ id, test, for: service, what }: ForbiddenAttempt, answer: AttemptAnswer, control: Control): Check {
  const check = (outcome: Check['outcome'], detail: string): Check => ({ id, test, service, outcome, detail });
  if (answer.kind === 'allowed') return check('failed', `Tried to ${what}: it was done. Nothing refused it.`);
  if (answer.kind === 'let-through') return check('failed', `Tried to ${what}: IAM let it through, and AWS answered ${answer.code}.`);
  if (answer.kind === 'no-answer') return check('not-verified', `Tried to ${what}: AWS answered ${answer.code}, which says nothing.`);
  if (!control.works)
    return check(
      'not-verified',
      `Tried to ${what}: refused, but so was ${control.what}${control.code === undefined ? '' : ` (${control.code})`}: it may be refused everything.`,
    );
  return check('passed', `Tried to ${what}: ${answer.code}. The same session succeeds in ${control.what}.`);
}
