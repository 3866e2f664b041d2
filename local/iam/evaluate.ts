/**
 * Decides whether a request is allowed. Sources in the IAM User Guide: "How AWS enforcement code logic evaluates requests to allow or deny
 * access", "Cross-account policy evaluation logic", "Permissions boundaries for IAM entities".
 */
import { type CompiledPolicy, type CompiledStatement, compileDocument } from './compile.ts';
import { isKnownAction, isNameableAction } from './known-actions.ts';
import type { Decision, PolicyDocument, PolicyKind, RequestPrincipal, StatementRef } from './policy.ts';
import type { Naming } from './principals.ts';
import { type RequestContext, UnsupportedRequest } from './request-context.ts';

export type { CompiledPolicy } from './compile.ts';
export { MalformedPolicy } from './malformed-policy.ts';
export { requestContext } from './request-context.ts';

interface EvaluationInput {
  readonly principal: RequestPrincipal;
  /** E.g. `secretsmanager:GetSecretValue`, in any case. */
  readonly action: string;
  /** The ARN asked for, or `*` for an action without one. */
  readonly resource: string;
  readonly context: RequestContext;
  /** All policies attached to the user or role, inline and managed. */
  readonly identity: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
  /** The policies passed when the session was made; none or an empty list means the session is not limited. */
  readonly session?: readonly CompiledPolicy[];
  readonly resourcePolicy?: CompiledPolicy;
  readonly resourceAccountId: string;
  /** KMS keys and role trust: without an Allow of the resource policy nothing is allowed. */
  readonly resourcePolicyRequired?: boolean;
  /** Only asked, nothing is done: then an action of a service that does not exist here is evaluated too. */
  readonly simulated?: boolean;
}

const compiled = new WeakMap<PolicyDocument, Map<string, CompiledPolicy>>();

/**
 * Compiles a document, or returns what was compiled for that same object, name and kind before: a document must not be changed afterwards.
 * Throws `MalformedPolicy` naming an unknown element, action, operator, condition key, variable, principal or version.
 */
export function compilePolicy(name: string, kind: PolicyKind, document: PolicyDocument): CompiledPolicy {
  const asPolicy = `${kind} ${name}`;
  let policies = compiled.get(document);
  if (policies === undefined) {
    policies = new Map();
    // A value that is no object can't be remembered; compiling it says what is wrong.
    if (typeof document === 'object' && document !== null) compiled.set(document, policies);
  }
  let policy = policies.get(asPolicy);
  if (policy === undefined) {
    policy = compileDocument(name, kind, document);
    policies.set(asPolicy, policy);
  }
  return policy;
}

/** The decision for what the evaluator does not know: refused, and named. */
function unsupported(message: string): Decision {
  return { allowed: false, reason: 'unsupported', deciding: undefined, denies: [], message };
}

/** Evaluates one request against every policy that concerns it. Never throws for a request: what it can't evaluate is refused as `unsupported`. */
export function evaluate(input: EvaluationInput): Decision {
  const isEvaluable = input.simulated === true ? isNameableAction(input.action) : isKnownAction(input.action);
  if (!isEvaluable) return unsupported(`unknown action ${input.action}`);
  try {
    return decide(input, input.action.toLowerCase());
  } catch (error) {
    if (error instanceof UnsupportedRequest) return unsupported(error.message);
    throw error;
  }
}

function decide(input: EvaluationInput, action: string): Decision {
  const denies = matchingDenies(input, action);
  const [deciding] = denies;
  if (deciding !== undefined) {
    return {
      allowed: false,
      reason: 'explicit-deny',
      deciding,
      denies,
      message: `explicit deny by ${deciding.policy}/${deciding.sid} (${deciding.kind})`,
    };
  }
  const grant = resourceGrant(input, action);
  const { principal } = input;
  if (principal.kind === 'service' || principal.kind === 'anonymous') {
    const who = principal.kind === 'service' ? `the service ${principal.arn}` : 'everyone';
    return grant === undefined ? implicitDeny(input, `no resource policy allows ${who}`) : allowedBy(grant.ref);
  }
  const identity = identitySide(input, action);
  if (principal.accountId !== input.resourceAccountId) return acrossAccounts(input, grant, identity);
  if (grant?.naming === 'self') return allowedBy(grant.ref);
  if (grant?.naming === 'role') return identity.limit === undefined ? allowedBy(grant.ref) : implicitDeny(input, identity.limit);
  // A policy that names only the account adds nothing of its own: it lets the account's identity policies decide.
  if (input.resourcePolicyRequired === true && grant === undefined)
    return implicitDeny(input, 'the resource policy does not allow it, and must');
  return identity.missing === undefined ? allowedBy(identity.allow) : implicitDeny(input, identity.missing);
}

function acrossAccounts(input: EvaluationInput, grant: Grant | undefined, identity: IdentitySide): Decision {
  if (grant === undefined)
    return implicitDeny(input, `no resource policy of account ${input.resourceAccountId} allows account ${input.principal.accountId}`);
  return identity.missing === undefined ? allowedBy(grant.ref) : implicitDeny(input, identity.missing);
}

function matchingDenies(input: EvaluationInput, action: string): readonly StatementRef[] {
  const denies: StatementRef[] = [];
  const collect = (policy: CompiledPolicy) => {
    for (const statement of policy.statementsFor(action).denies) if (matches(statement, input)) denies.push(statement.ref);
  };
  for (const policy of input.identity) collect(policy);
  if (input.boundary !== undefined) collect(input.boundary);
  for (const policy of input.session ?? []) collect(policy);
  if (input.resourcePolicy !== undefined) collect(input.resourcePolicy);
  return denies;
}

function matches(statement: CompiledStatement, { principal, boundary, resource, context }: EvaluationInput): boolean {
  return statement.names(principal, boundary !== undefined) !== 'none' && statement.applies(resource, context);
}

function firstAllow(policy: CompiledPolicy, input: EvaluationInput, action: string): StatementRef | undefined {
  for (const statement of policy.statementsFor(action).allows) if (matches(statement, input)) return statement.ref;
  return undefined;
}

interface Grant {
  readonly ref: StatementRef;
  readonly naming: Naming;
}
const nearness: Readonly<Record<Naming, number>> = { none: 0, account: 1, role: 2, self: 3 };

/** The Allow of the resource policy that names the caller most closely. */
function resourceGrant(input: EvaluationInput, action: string): Grant | undefined {
  let best: Grant | undefined;
  for (const statement of input.resourcePolicy?.statementsFor(action).allows ?? []) {
    const naming = statement.names(input.principal, input.boundary !== undefined);
    if (nearness[naming] > nearness[best?.naming ?? 'none'] && statement.applies(input.resource, input.context))
      best = { ref: statement.ref, naming };
  }
  return best;
}

interface IdentitySide {
  /** The identity policy's Allow; undefined for the root user, who needs none. */
  readonly allow: StatementRef | undefined;
  /** Why boundary or session policy don't allow it; undefined when they do, or there are none. */
  readonly limit: string | undefined;
  /** Why the caller's own policies don't allow it; undefined when they do. */
  readonly missing: string | undefined;
}

/** Identity policies, cut down by boundary and session policies: an intersection. */
function identitySide(input: EvaluationInput, action: string): IdentitySide {
  if (input.principal.kind === 'root') return { allow: undefined, limit: undefined, missing: undefined };
  let allow: StatementRef | undefined;
  for (const policy of input.identity) {
    allow = firstAllow(policy, input, action);
    if (allow !== undefined) break;
  }
  const limit = limitOf(input, action);
  return { allow, limit, missing: allow === undefined ? 'no identity policy allows it' : limit };
}

function limitOf(input: EvaluationInput, action: string): string | undefined {
  const { boundary, session = [] } = input;
  if (boundary !== undefined && firstAllow(boundary, input, action) === undefined)
    return `the permissions boundary ${boundary.name} does not allow it`;
  if (session.length > 0 && !session.some((policy) => firstAllow(policy, input, action) !== undefined))
    return 'no session policy allows it';
  return undefined;
}

const noDenies: readonly StatementRef[] = [];

function allowedBy(deciding: StatementRef | undefined): Decision {
  const message =
    deciding === undefined ? 'allowed: the root user of the account' : `allowed by ${deciding.policy}/${deciding.sid} (${deciding.kind})`;
  return { allowed: true, reason: 'allow', deciding, denies: noDenies, message };
}

function implicitDeny({ action, resource }: EvaluationInput, why: string): Decision {
  return { allowed: false, reason: 'implicit-deny', deciding: undefined, denies: noDenies, message: `${why}: ${action} on ${resource}` };
}
