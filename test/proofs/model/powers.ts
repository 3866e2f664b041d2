/** Everything that somebody may do at all: each action for which some request is allowed, on what, and with which condition keys. */
import { allowed } from './decision.ts';
import { Request } from './formula.ts';
import { type Literal, type Script, scriptFor } from './smt.ts';
import { digestOf, type Inquiry, type Solver } from './solver.ts';
import type { Things } from './things.ts';
import { Translation } from './translate.ts';
import type { View } from './views.ts';

export interface Power {
  readonly action: string;
  readonly resource: string;
  /** What every request that is allowed carries, in order. */
  readonly needs: readonly string[];
}

/** Of the actions that `matters` holds for; of all when left out. */
export async function powersOf(
  view: View,
  things: Things,
  solver: Solver,
  matters: (action: string) => boolean = () => true,
): Promise<readonly Power[]> {
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
  const found = knownTo(solver).get(key) ?? (await find(view, things, request, script, actions, solver));
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

async function find(
  view: View,
  things: Things,
  request: Request,
  script: Script,
  actions: readonly string[],
  solver: Solver,
): Promise<readonly Power[]> {
  const inquiry = solver.open(script);
  try {
    const found: Power[] = [];
    for (const [forAction, those] of alike(request, script, 'action', actions)) {
      const resources = view.resource === undefined ? [...new Set(those.flatMap((action) => things.resourcesOf(action)))] : [view.resource];
      for (const [forResource, on] of alike(request, script, 'resource', resources)) {
        const needs = await neededKeys(inquiry, script, [...forAction, ...(view.resource === undefined ? forResource : [])]);
        if (needs === undefined) continue;
        for (const action of those) {
          const possible = new Set(view.resource === undefined ? things.resourcesOf(action) : [view.resource]);
          found.push(...on.filter((one) => possible.has(one)).map((resource) => ({ action, resource, needs })));
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

/** The keys without which no such request is allowed; undefined when none is allowed at all. */
async function neededKeys(inquiry: Inquiry, script: Script, literals: readonly Literal[]): Promise<readonly string[] | undefined> {
  const answer = await inquiry.ask(literals);
  if (!answer.satisfiable) return undefined;
  let candidates = [...script.without].filter(([slot]) => (answer.values.get(slot) ?? []).length > 0);
  const needed: string[] = [];
  while (candidates.length > 0) {
    const [[slot, without] = ['', []], ...others] = candidates;
    const smaller = await inquiry.ask([...literals, ...without]);
    candidates = smaller.satisfiable ? others.filter(([name]) => (smaller.values.get(name) ?? []).length > 0) : others;
    if (!smaller.satisfiable) needed.push(slot);
  }
  return needed.sort();
}
