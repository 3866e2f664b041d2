/** What a set of sessions reaches, as rows of a report. */
import { createActions, verbOf } from './actions.ts';
import { type Level, widest } from './level.ts';
import { type Probe, probesOf } from './probes.ts';
import { mayDo, type Session, sessionKey, spokenOf } from './session.ts';
import { anybody, type Stack, tenants } from './stack-model.ts';

export interface Row {
  readonly thing: string;
  /** Of IAM's actions; none for what is reached by other means than IAM. */
  readonly actions: readonly string[];
  readonly verbs: readonly string[];
  readonly tenants: Level;
  /** The role by which, or the subject's own name. */
  readonly through: string;
  /** Functions that are asked to act. What they do then is their own code's decision. */
  readonly asks: readonly string[];
}

export interface Hit {
  readonly probe: Probe;
  readonly action: string;
}

/** Tries every probe in a session, once for each. */
export function createTrials(stack: Stack): (session: Session) => readonly Hit[] {
  const probes = probesOf(stack);
  const actionsOf = createActions(stack);
  const known = new Map<string, readonly Hit[]>();
  // What everybody reaches is reported once and not of each.
  const everybodys = new Set(
    stack.roles
      .filter(({ name }) => name === anybody)
      .flatMap((role) => hitsOf({ role }))
      .map(({ probe, action }) => `${probe.resource} ${action}`),
  );

  /** What is worth being tried: everything else no Allow speaks of. */
  function worthTrying({ role }: Session): (probe: Probe) => readonly string[] {
    const byRole = new Map<string, ReadonlySet<string>>();
    return ({ service, resourcePolicy, only }) => {
      const actions = actionsOf(service);
      const own = byRole.get(service) ?? spokenOf(role.identity, actions);
      byRole.set(service, own);
      const resources = resourcePolicy === undefined ? undefined : spokenOf([resourcePolicy], actions);
      return actions.filter((action) => (own.has(action) || resources?.has(action) === true) && only?.(action) !== false);
    };
  }

  function hitsOf(session: Session): Hit[] {
    const worth = worthTrying(session);
    return probes.flatMap((probe) =>
      worth(probe).flatMap((action) => {
        const { resource, resourcePolicy, policyRequired = false } = probe;
        const allowed = probe.circumstances.some((context) =>
          mayDo(session, { action, resource, context, resourcePolicy, policyRequired }),
        );
        return allowed ? [{ probe, action }] : [];
      }),
    );
  }

  return (session) => {
    const key = sessionKey(session);
    const before = known.get(key);
    if (before !== undefined) return before;
    const all = hitsOf(session);
    const hits = session.role.name === anybody ? all : all.filter(({ probe, action }) => !everybodys.has(`${probe.resource} ${action}`));
    known.set(key, hits);
    return hits;
  };
}

/** Names of the two tenants that stand for any are taken out of what is reported. */
export const general = (name: string): string => name.replace(/-acme(-2)?(?=\.|$)/, '-{tenant}');

interface Found {
  readonly thing: string;
  readonly through: string;
  readonly actions: Set<string>;
  readonly of: Set<Probe['of']>;
  readonly asks: Set<string>;
}

/**
 * @param options.of the tenant whom all sessions began with; undefined for whoever may name any tenant
 * @param options.levelOf how far a function reaches that is asked to act
 */
export function rowsOf(
  sessions: readonly Session[],
  hits: (session: Session) => readonly Hit[],
  options: { readonly of: string | undefined; readonly levelOf: (functionName: string) => Level },
): Row[] {
  const found = new Map<string, Found>();
  for (const session of sessions) {
    const through = general(session.role.name);
    for (const { probe, action } of hits(session)) {
      const key = `${probe.thing} ${through}`;
      const row = found.get(key) ?? { thing: probe.thing, through, actions: new Set(), of: new Set(), asks: new Set() };
      row.actions.add(action);
      row.of.add(probe.of === 'session' ? ofSession(session) : probe.of);
      for (const name of probe.asks ?? []) row.asks.add(name);
      found.set(key, row);
    }
  }
  return [...found.values()].map(({ thing, through, actions, of, asks }) => ({
    thing,
    through,
    actions: [...actions].sort(),
    verbs: [...new Set([...actions].sort().map(verbOf))],
    tenants: widest([levelOf([...of], options.of), ...[...asks].map(options.levelOf)]),
    asks: [...asks].sort(),
  }));
}

function ofSession({ tenant }: Session): Probe['of'] {
  return Object.values(tenants).find((one) => one === tenant) ?? 'platform';
}

function levelOf(of: readonly Probe['of'][], began: string | undefined): Level {
  if (of.includes('all')) return 'all';
  const named = of.filter((one) => one !== 'platform');
  if (named.length === 0) return 'none';
  // Whoever reaches both of two tenants that nothing sets apart reaches all; and so does who began with one and reaches the other.
  return named.every((one) => one === (began ?? named[0])) ? 'one' : 'all';
}
