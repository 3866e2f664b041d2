/**
 * Checks a policy document and compiles its statements, once per document. Whatever is unknown is refused here, by name: a policy never takes
 * effect in part. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 */
import { resourceMatcher } from './arn.ts';
import { type ConditionTest, compileConditions } from './conditions.ts';
import { isKnownActionPattern } from './known-actions.ts';
import { MalformedPolicy } from './malformed-policy.ts';
import type { PolicyDocument, PolicyKind, PolicyStatement, RequestPrincipal, StatementRef } from './policy.ts';
import { type Naming, notPrincipalMatcher, principalMatcher } from './principals.ts';
import type { RequestContext } from './request-context.ts';
import { globMatcher, globPattern } from './wildcards.ts';

export interface CompiledStatement {
  readonly ref: StatementRef;
  /** How the statement names the caller; `self` throughout in policies that have no Principal. `bounded`: the caller has a permissions boundary. */
  readonly names: (principal: RequestPrincipal, bounded: boolean) => Naming;
  /** Whether resource and conditions match; the action does already. */
  readonly applies: (resource: string, context: RequestContext) => boolean;
}

interface ActionStatements {
  readonly allows: readonly CompiledStatement[];
  readonly denies: readonly CompiledStatement[];
}

/** A policy ready to be evaluated any number of times. */
export interface CompiledPolicy {
  readonly name: string;
  readonly kind: PolicyKind;
  /** The statements whose action element matches a known action, given in lower case; remembered per action. */
  readonly statementsFor: (action: string) => ActionStatements;
}

const documentElements = new Set(['Version', 'Id', 'Statement']);
const statementElements = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
]);

/** Compiles a document without remembering it. Throws `MalformedPolicy`. */
export function compileDocument(name: string, kind: PolicyKind, document: PolicyDocument): CompiledPolicy {
  try {
    refuseUnknown(document, documentElements, 'policy');
    const version = document.Version ?? '2008-10-17';
    if (version !== '2012-10-17' && version !== '2008-10-17') throw new MalformedPolicy(`unknown Version ${version}`);
    const statements = list(document.Statement);
    if (statements.length === 0) throw new MalformedPolicy('Statement is empty');
    checkStatements(statements, kind);
    const compiled = statements.map((statement, index) => {
      const ref = { policy: name, kind, sid: statement.Sid || `#${index}` };
      return compileStatement(statement, ref, version === '2012-10-17');
    });
    return { name, kind, statementsFor: rememberPerAction(compiled) };
  } catch (error) {
    if (error instanceof MalformedPolicy) throw new MalformedPolicy(error.message, name, { cause: error });
    throw error;
  }
}

function list<T extends string | PolicyStatement>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

/** `Array.isArray` does not narrow read-only arrays. */
function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function refuseUnknown(value: unknown, known: ReadonlySet<string>, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedPolicy(`a ${what} must be an object`);
  for (const element of Object.keys(value)) {
    if (!known.has(element)) throw new MalformedPolicy(`unknown ${what} element ${element}`);
  }
}

/** No unknown element, and each Sid once. IAM takes only letters and digits in a Sid; resource policies of other services may hold more, e.g. blanks in KMS. */
function checkStatements(statements: readonly PolicyStatement[], kind: PolicyKind): void {
  const seen = new Set<string>();
  for (const statement of statements) {
    refuseUnknown(statement, statementElements, 'statement');
    const { Sid } = statement;
    if (Sid === undefined || Sid === '') continue;
    if (typeof Sid !== 'string') throw new MalformedPolicy('a Sid must be a string');
    if (seen.has(Sid)) throw new MalformedPolicy(`Sid ${Sid} is used twice`);
    if (kind !== 'resource' && !/^[A-Za-z0-9]+$/.test(Sid)) throw new MalformedPolicy(`Sid ${Sid} may hold only letters and digits`);
    seen.add(Sid);
  }
}

interface StatementMatcher extends CompiledStatement {
  readonly deny: boolean;
  readonly coversAction: (action: string) => boolean;
}

function compileStatement(statement: PolicyStatement, ref: StatementRef, variables: boolean): StatementMatcher {
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw new MalformedPolicy(`unknown Effect ${String(statement.Effect)}`);
  const matchesResource = compileResource(statement, ref, variables);
  const conditions = compileConditions(statement.Condition, variables);
  return {
    ref,
    deny: statement.Effect === 'Deny',
    coversAction: compileAction(statement, ref),
    names: compilePrincipal(statement, ref),
    applies: (resource, context) => matchesResource(resource, context) && allHold(conditions, context),
  };
}

function allHold(conditions: readonly ConditionTest[], context: RequestContext): boolean {
  for (const holds of conditions) if (!holds(context)) return false;
  return true;
}

type Strings = string | readonly string[] | undefined;

/** One of an element and its `Not…` form, with at least one entry; undefined when neither is there. */
function eitherElement(
  name: string,
  plain: Strings,
  not: Strings,
  sid: string,
): { values: readonly string[]; negated: boolean } | undefined {
  if (plain !== undefined && not !== undefined) throw new MalformedPolicy(`statement ${sid} has both ${name} and Not${name}`);
  if (plain === undefined && not === undefined) return undefined;
  const values = list(plain ?? not);
  if (values.length === 0) throw new MalformedPolicy(`statement ${sid} has an empty ${name}`);
  if (values.some((value) => typeof value !== 'string')) throw new MalformedPolicy(`statement ${sid} has a ${name} that is no string`);
  return { values, negated: plain === undefined };
}

function compileAction({ Action, NotAction }: PolicyStatement, { sid }: StatementRef): (action: string) => boolean {
  const element = eitherElement('Action', Action, NotAction, sid);
  if (element === undefined) throw new MalformedPolicy(`statement ${sid} has neither Action nor NotAction`);
  const matchers = element.values.map((pattern) => {
    if (!isKnownActionPattern(pattern)) throw new MalformedPolicy(`unknown action ${pattern}`);
    return globMatcher(globPattern(pattern.toLowerCase()));
  });
  return (action) => matchers.some((matches) => matches(action)) !== element.negated;
}

function compileResource({ Resource, NotResource }: PolicyStatement, { sid, kind }: StatementRef, variables: boolean) {
  const element = eitherElement('Resource', Resource, NotResource, sid);
  if (element === undefined) {
    // Trust policies and some resource policies leave it out: they are about the resource they are attached to.
    if (kind === 'resource') return () => true;
    throw new MalformedPolicy(`statement ${sid} has neither Resource nor NotResource`);
  }
  const matchers = element.values.map((pattern) => resourceMatcher(pattern, variables));
  // A pattern whose variable has no value matches no resource, in NotResource too ("Variables and tags", Policy variables with no value).
  return (resource: string, context: RequestContext) => matchers.some((matches) => matches(resource, context)) !== element.negated;
}

function compilePrincipal({ Principal, NotPrincipal, Effect }: PolicyStatement, { sid, kind }: StatementRef): CompiledStatement['names'] {
  if (kind !== 'resource') {
    if (Principal !== undefined || NotPrincipal !== undefined)
      throw new MalformedPolicy(`statement ${sid} names a Principal in a policy of kind ${kind}`);
    return () => 'self';
  }
  if (Principal !== undefined && NotPrincipal !== undefined)
    throw new MalformedPolicy(`statement ${sid} has both Principal and NotPrincipal`);
  if (Principal !== undefined) return principalMatcher(Principal);
  if (NotPrincipal === undefined) throw new MalformedPolicy(`statement ${sid} has neither Principal nor NotPrincipal`);
  if (Effect === 'Allow') throw new MalformedPolicy(`statement ${sid}: NotPrincipal is not supported with Allow`);
  const matches = notPrincipalMatcher(NotPrincipal);
  return (principal, bounded) => (matches(principal, bounded) ? 'self' : 'none');
}

/** Known actions are few, so what matches each is worked out once. */
function rememberPerAction(statements: readonly StatementMatcher[]): CompiledPolicy['statementsFor'] {
  const remembered = new Map<string, ActionStatements>();
  return (action) => {
    let found = remembered.get(action);
    if (found === undefined) {
      const covering = statements.filter((statement) => statement.coversAction(action));
      found = { allows: covering.filter(({ deny }) => !deny), denies: covering.filter(({ deny }) => deny) };
      remembered.set(action, found);
    }
    return found;
  };
}
