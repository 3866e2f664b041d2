/** One question to the solver: is there a request that these policies allow and that must not be? With what is needed to show one, and to have the evaluator look at it. */
import { compilePolicy, evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import { knownActionsOf } from '../../../local/iam/known-actions.ts';
import type { Decision, PolicyStatement } from '../../../local/iam/policy.ts';
import { globMatches, globPattern } from '../../../local/iam/wildcards.ts';
import { allowed, type Policies } from './decision.ts';
import { and, type Formula, not, Request } from './formula.ts';
import { spelled, spelledIn } from './letters.ts';
import { list } from './lists.ts';
import type { Caller } from './patterns.ts';
import { asserted, type Script, scriptFor, type Values, withAssertions } from './smt.ts';
import type { Solver } from './solver.ts';
import { account, type Principal } from './stack.ts';
import { Translation } from './translate.ts';

/** A session: of which role, with which tags. */
export interface Session {
  readonly principal: Principal;
  readonly tenant?: string;
  readonly user?: string;
}

export interface Ask {
  /** The property that would be broken, e.g. `P1 secrets`. */
  readonly property: string;
  /** Who asks, and which of the walls is asked alone, e.g. `TenantReader, by its own policies' Denies`. */
  readonly about: string;
  readonly session: Session;
  /** One action, every known action of a service, or whatever action name a service may ever have; several actions are needed together. */
  readonly action: { readonly all: readonly string[] } | { readonly known: readonly string[] } | 'any';
  /** One resource; every text there is when left out. */
  readonly resource?: string;
  /** Condition keys that are given; undefined: absent. */
  readonly given?: Readonly<Record<string, string | undefined>>;
  readonly policies: Policies;
  /** Names of the policies in `Stack.policies` that the answer depends on. */
  readonly uses: readonly string[];
  /** What is taken for granted of every request. */
  readonly assume?: (say: Translation) => Formula;
  /** What every allowed request must be. */
  readonly must: (say: Translation) => Formula;
}

export interface Question {
  readonly ask: Ask;
  readonly name: string;
  readonly script: () => Script;
}

function knownOf({ principal, tenant, user }: Session): Map<string, string | undefined> {
  const tags = Object.entries(principal.tags).map(([key, value]) => [`aws:principaltag/${key.toLowerCase()}`, value] as const);
  return new Map<string, string | undefined>([
    ...tags,
    ['aws:principaltag/tenantid', tenant ?? principal.tags['TenantId']],
    ['aws:principaltag/userid', user],
    ['aws:principalarn', principal.arn],
    ['aws:principalaccount', principal.arn.split(':')[4]],
  ]);
}

/** Who asks in a session. */
export function callerOfSession(session: Session): Caller {
  const { principal } = session;
  const name = principal.arn.split('/').at(-1) ?? '';
  const accountId = principal.arn.split(':')[4] ?? '';
  return {
    principal: { kind: 'role-session', accountId, arn: `arn:aws:sts::${accountId}:assumed-role/${name}/session`, roleArn: principal.arn },
    known: knownOf(session),
    bounded: principal.boundary !== undefined,
  };
}

function callerOf({ session, resource, given = {}, policies }: Ask, action: string | undefined): Caller {
  const caller = callerOfSession(session);
  const known = new Map(caller.known);
  if (action !== undefined) known.set('action', action);
  if (resource !== undefined) known.set('resource', resource);
  for (const [key, value] of Object.entries(given)) known.set(key.toLowerCase(), value);
  return { ...caller, known, bounded: policies.boundary !== undefined };
}

/** The actions of a request: those given, or undefined for one that is left open. */
const actionsOf = ({ action }: Ask): readonly (string | undefined)[] => (action !== 'any' && 'all' in action ? action.all : [undefined]);

export function question(ask: Ask): Question {
  return { ask, name: `${ask.property}: ${ask.about}`, script: () => scriptOf(ask) };
}

function scriptOf(ask: Ask): Script {
  const request = new Request();
  const { action } = ask;
  const preferred = action === 'any' ? everyKnownAction : 'known' in action ? action.known : action.all;
  request.declare('action', { several: false, required: true, preferred, closed: action !== 'any' });
  const speakers = actionsOf(ask).map((one) => new Translation(request, callerOf(ask, one)));
  const [say] = speakers;
  if (say === undefined) throw new Error(`${ask.about}: no action`);
  const isAction = action === 'any' ? say.asks('?*:?*') : true;
  const everything = and(isAction, ...speakers.map((one) => allowed(one, ask.policies)), ask.assume?.(say) ?? true, not(ask.must(say)));
  return scriptFor(request, everything);
}

/** A concrete request, with IDs in the letters' place, and what the evaluator decides about it. */
export interface Witness {
  readonly text: string;
  readonly decisions: readonly Decision[];
}

/** A request that is allowed and must not be, with no condition key in it that is not needed; undefined when there is none. */
export function counterexample(solver: Solver, { ask, script }: Question): Witness | undefined {
  const asked = script();
  let answer = solver.solve(asked);
  if (!answer.satisfiable) return undefined;
  const left: string[] = [];
  for (const literals of asked.without.values()) {
    const without = asserted(literals);
    const smaller = solver.solve(withAssertions(asked, [...left, ...without]));
    if (!smaller.satisfiable) continue;
    answer = smaller;
    left.push(...without);
  }
  return witnessOf(ask, answer.values);
}

function witnessOf(ask: Ask, values: Values): Witness {
  const decisions: Decision[] = [];
  const lines: string[] = [];
  for (const one of actionsOf(ask)) {
    const { principal, known } = callerOf(ask, one);
    const context = new Map<string, readonly string[]>();
    for (const [key, value] of known) if (value !== undefined && key.includes(':')) context.set(key, [spelled(value)]);
    for (const [key, value] of values) if (key.includes(':') && value.length > 0) context.set(key, value.map(spelled));
    const action = one ?? values.get('action')?.[0] ?? '';
    const resource = spelled(known.get('resource') ?? values.get('resource')?.[0] ?? '*');
    const { identity, boundary, resource: resourcePolicy, resourceRequired, acrossAccounts } = spelledIn(ask.policies);
    const decision = evaluate({
      principal: spelledIn(principal),
      action,
      resource,
      context: requestContext(Object.fromEntries(context)),
      identity: identity.map(({ name, document }) => compilePolicy(name, 'identity', document)),
      ...(boundary && { boundary: compilePolicy(boundary.name, 'boundary', boundary.document) }),
      ...(resourcePolicy && { resourcePolicy: compilePolicy(resourcePolicy.name, 'resource', resourcePolicy.document) }),
      resourceAccountId: acrossAccounts === true ? 'another' : account,
      ...(resourceRequired !== undefined && { resourcePolicyRequired: resourceRequired }),
      // Topics have policies, and nothing is published here.
      simulated: true,
    });
    decisions.push(decision);
    lines.push(
      `${spelled(ask.session.principal.name)} asks for ${action} on ${resource}`,
      ...[...context].sort().map(([key, value]) => `    ${key} = ${value.length === 1 ? JSON.stringify(value[0]) : JSON.stringify(value)}`),
      `    ${decision.message}`,
    );
  }
  return { text: lines.join('\n'), decisions };
}

/** Of the services that hold something of a tenant's, or lead there. */
export const tenantServices = ['dynamodb', 'iam', 'kms', 'secretsmanager', 'sts', 'tag'] as const;
const remembered = new Map<string, { readonly known: readonly string[] }>();
export function knownActions(...services: readonly string[]): { readonly known: readonly string[] } {
  const key = services.join();
  const found = remembered.get(key) ?? { known: services.flatMap(knownActionsOf) };
  remembered.set(key, found);
  return found;
}

const everyKnownAction = knownActions(...tenantServices, 'events', 'lambda', 'logs', 'sqs').known;

/** Whether one of these statements has anything to do with the actions that are asked about. */
export function concerns({ ask: { action } }: Question, ...statements: readonly (PolicyStatement | undefined)[]): boolean {
  if (action === 'any') return true;
  const asked = 'all' in action ? action.all : action.known;
  return statements.some((one) => one !== undefined && asked.some((name) => covers(one, name)));
}

function covers({ Action, NotAction }: PolicyStatement, action: string): boolean {
  const matched = list(Action ?? NotAction).some((text) => globMatches(globPattern(text.toLowerCase()), action.toLowerCase()));
  return matched === (Action !== undefined);
}
