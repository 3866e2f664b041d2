/** Everything that somebody may do at all: each action for which some request is allowed, on what, and with which condition keys. */
import { allowed } from './decision.ts';
import { Request } from './formula.ts';
import { type Literal, type Script, scriptFor, type Values } from './smt.ts';
import { digestOf, type Inquiry, type Solver } from './solver.ts';
import type { Things } from './things.ts';
import { Translation } from './translate.ts';
import type { View } from './views.ts';

export interface Power {
  readonly action: string;
  readonly resource: string;
  /** What a request carries that is allowed, e.g. `events:source=cordon`: each key that it must have, with what it may be of all that policies speak of. */
  readonly needs: string;
}

/** Of the actions that `matters` holds for; of all when left out. */
export function powersOf(view: View, things: Things, solver: Solver, matters: (action: string) => boolean = () => true): readonly Power[] {
  const { services } = view;
  const actions = things.actions
    .filter((action) => services === undefined || services.includes(action.split(':')[0] ?? ''))
    .filter(matters);
  if (actions.length === 0) return [];
  const request = new Request();
  request.declare('action', { several: false, required: true, preferred: things.actions, closed: true });
  request.declare('resource', { several: false, required: true, preferred: things.resources, closed: true });
  const known = new Map([...view.caller.known, ...(view.resource === undefined ? [] : [['resource', view.resource] as const])]);
  const say = new Translation(request, { ...view.caller, known, bounded: view.policies.boundary !== undefined });
  const decision = allowed(say, view.policies);
  if (decision === false) return [];
  const script = scriptFor(request, decision);
  // The text does not say which names it is about.
  const tests = [...request.slots].flatMap(([slot, { tests: of }]) => [slot, ...of.map((test) => test.key)]);
  const key = digestOf([script.text, ...tests, ...actions].join());
  const found = knownTo(solver).get(key) ?? find(view, things, request, script, actions, solver);
  knownTo(solver).set(key, found);
  return found;
}

/** Roles of which a policy says the same, word for word, are answered together. */
const remembered = new WeakMap<Solver, Map<string, readonly Power[]>>();
function knownTo(solver: Solver): Map<string, readonly Power[]> {
  const known = remembered.get(solver) ?? new Map<string, readonly Power[]>();
  remembered.set(solver, known);
  return known;
}

function find(view: View, things: Things, request: Request, script: Script, actions: readonly string[], solver: Solver): readonly Power[] {
  const inquiry = solver.open(script);
  const casesOf = casesBy(inquiry, script, request, things);
  try {
    const found: Power[] = [];
    for (const [forAction, those] of alike(request, script, 'action', actions)) {
      const resources = view.resource === undefined ? [...new Set(those.flatMap((action) => things.resourcesOf(action)))] : [view.resource];
      for (const [forResource, on] of alike(request, script, 'resource', resources)) {
        const cases = casesOf([...forAction, ...(view.resource === undefined ? forResource : [])], []);
        for (const action of those) {
          const possible = new Set(view.resource === undefined ? things.resourcesOf(action) : [view.resource]);
          found.push(
            ...on
              .filter((one) => possible.has(one))
              .flatMap((resource) => cases.map((needs): Power => ({ action, resource, needs: needs.join(' ') }))),
          );
        }
      }
    }
    return found;
  } finally {
    inquiry.end();
  }
}

/** Texts that no statement tells apart are answered together. */
function alike(request: Request, script: Script, slot: string, texts: readonly string[]): [readonly Literal[], string[]][] {
  const groups = new Map<string, [readonly Literal[], string[]]>();
  for (const text of texts) {
    const answers = request.answers(slot, text);
    const key = answers.map(Number).join('');
    const group = groups.get(key) ?? [script.answering(slot, answers), []];
    group[1].push(text);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** By what requests must carry to be allowed: nothing more, or a key; and if a key, with which values, and what they need besides. None: none is allowed. */
function casesBy(inquiry: Inquiry, script: Script, request: Request, things: Things) {
  const casesOf = (literals: readonly Literal[], but: readonly string[]): string[][] => {
    const answer = inquiry.ask(literals);
    if (!answer.satisfiable) return [];
    const slot = neededKey(literals, but, answer.values);
    if (slot === undefined) return [[]];
    const values = things.valuesOf(slot);
    const byRest = new Map<string, { readonly rest: string[]; readonly with: string[] }>();
    for (const [valued, those] of alike(request, script, slot, values)) {
      const isThere = request.slots.get(slot)?.several === true ? [] : present(script, slot);
      for (const rest of casesOf([...literals, ...isThere, ...valued], [...but, slot])) {
        const known = byRest.get(rest.join(' ')) ?? { rest, with: [] };
        known.with.push(...those);
        byRest.set(rest.join(' '), known);
      }
    }
    // It has to be several values together.
    if (byRest.size === 0) return casesOf(literals, [...but, slot]).map((rest) => [slot, ...rest]);
    return [...byRest.values()].map((one) => [
      one.with.length === values.length ? slot : `${slot}=${one.with.sort().join('|')}`,
      ...one.rest,
    ]);
  };
  /** A key without which no such request is allowed; looked for among those that one carries. */
  const neededKey = (literals: readonly Literal[], but: readonly string[], values: Values): string | undefined =>
    [...script.without]
      .filter(([slot]) => !but.includes(slot) && (values.get(slot) ?? []).length > 0)
      .sort(([one], [another]) => (one < another ? -1 : 1))
      .find(([, without]) => !inquiry.holds([...literals, ...without]))?.[0];
  return casesOf;
}

const present = (script: Script, slot: string): Literal[] => (script.without.get(slot) ?? []).map(({ name }) => ({ name, value: true }));
