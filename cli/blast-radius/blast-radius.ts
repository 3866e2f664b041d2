/** The blast radius of a function, a role, or a token: everything that is in reach of whoever has taken it over, by the policies of the stack. */
import { createChains } from './chains.ts';
import { type Level, widest } from './level.ts';
import { createTrials, general, type Row, rowsOf } from './reach.ts';
import type { Session } from './session.ts';
import { type Role, type Stack, type StackFunction, tenants, users } from './stack-model.ts';

export interface BlastRadius {
  readonly kind: 'function' | 'role' | 'user' | 'agent' | 'credential';
  readonly subject: string;
  /** The widest of all rows. */
  readonly tenants: Level;
  /** The widest of what is reached without asking a function to act. */
  readonly itself: Level;
  /** Whose secrets can be read. */
  readonly secrets: Level;
  readonly rows: readonly Row[];
}

/**
 * Functions that give a session only for the tenant of a token that they verify themselves. That is their code's doing and no policy's: it is the one thing taken
 * from elsewhere here, and it is tested in `test/integration/sessions.test.ts`.
 */
const tokenGates: ReadonlySet<string> = new Set(['Sessions']);

export interface BlastRadii {
  readonly functions: readonly string[];
  readonly roles: readonly string[];
  /** Undefined for a name that there is none of. */
  ofFunction(name: string): BlastRadius | undefined;
  ofRole(name: string): BlastRadius | undefined;
  /** What IAM would let the platform's own code reach in a session for one user: more than that nobody gets of a user's token. */
  ofUsersSession(): readonly Row[];
}

export function createBlastRadii(stack: Stack): BlastRadii {
  const chains = createChains(stack);
  const hits = createTrials(stack);
  const known = new Map<string, BlastRadius>();

  function roleByArn(arn: string): Role {
    const role = stack.roles.find((one) => one.arn === arn);
    if (role === undefined) throw new TypeError(`${arn} is no role of the stack`);
    return role;
  }

  /** How far a function reaches that is asked. One that is being worked out already adds nothing of its own. */
  const underWay = new Set<string>();
  function levelOfAsked(name: string): Level {
    if (tokenGates.has(name) || underWay.has(name)) return 'none';
    const asked = stack.functions.find((one) => one.name === name);
    return asked === undefined ? 'none' : ofFunction(asked).tenants;
  }

  const rowsOfSessions = (start: readonly Session[], of: string | undefined): Row[] =>
    rowsOf(chains.closure(start), hits, { of, levelOf: levelOfAsked });

  function gateSessions(): Session[] {
    return stack.functions
      .filter(({ name }) => tokenGates.has(name))
      .flatMap(({ roleArn }) => chains.next({ role: roleByArn(roleArn) }))
      .filter(({ tenant }) => tenant === tenants.own);
  }

  function ofFunction(one: StackFunction): BlastRadius {
    const before = known.get(one.name);
    if (before !== undefined) return before;
    underWay.add(one.name);
    const role = roleByArn(one.roleArn);
    const own = [...rowsOfSessions([{ role }], undefined), ...foreignRows(role)];
    const radius = summary('function', one.name, [...own, ...tokenRows(one, own)]);
    underWay.delete(one.name);
    known.set(one.name, radius);
    return radius;
  }

  /** What the tokens are good for that callers bring: the API in their names, and the sessions that a gate gives for them. */
  function tokenRows({ name, takesTokens, perTenant }: StackFunction, own: readonly Row[]): Row[] {
    if (!takesTokens) return [];
    const level: Level = perTenant ? 'one' : 'callers';
    const row = (thing: string, verb: string): Row => ({ thing, verbs: [verb], actions: [], tenants: level, through: name, asks: [] });
    const passesGate = own.some(({ asks }) => asks.some((asked) => tokenGates.has(asked)));
    const ofSessions = passesGate ? rowsOfSessions(gateSessions(), tenants.own) : [];
    return [
      row('tokens of callers', 'read'),
      row('API in the callers’ names', 'call'),
      ...ofSessions.map((one) => ({ ...one, tenants: one.tenants === 'one' ? level : one.tenants })),
    ];
  }

  /** A role that a service of AWS takes, or nobody of the stack, is itself; any other is at work for somebody, in whatever session can be had of it. */
  function ofRole(role: Role): BlastRadius {
    const began = stack.roles.filter(isEntrance).map((one) => ({ role: one }));
    const entered = chains.closure(began).filter((session) => session.role === role && session.tenant !== tenants.other);
    const start = isEntrance(role) ? [{ role }] : entered;
    const of = start.some(({ tenant }) => tenant !== undefined) ? tenants.own : undefined;
    return summary('role', general(role.name), [...rowsOfSessions(start, of), ...foreignRows(role)]);
  }

  return {
    functions: stack.functions.map(({ name }) => name),
    roles: [...new Set(stack.roles.map(({ name }) => general(name)))],
    ofFunction(name) {
      const one = stack.functions.find((other) => other.name === name);
      return one && ofFunction(one);
    },
    ofRole(name) {
      const role = stack.roles.find((other) => general(other.name) === name);
      return role && ofRole(role);
    },
    ofUsersSession: () =>
      rowsOfSessions(
        gateSessions().filter(({ user }) => user === users.self),
        tenants.own,
      ),
  };
}

/** Who takes it is not one of the stack's sessions: a service of AWS, or a person. */
const isEntrance = (role: Role): boolean => role.boundary?.name !== 'TenantBoundary';

/** What a policy of AWS's own allows is not known here, and said so. */
function foreignRows({ name, foreign }: Role): Row[] {
  return foreign.map((arn) => ({
    thing: `whatever ${arn} allows`,
    verbs: ['use'],
    actions: [],
    tenants: 'none',
    through: general(name),
    asks: [],
  }));
}

export function summary(kind: BlastRadius['kind'], subject: string, rows: readonly Row[]): BlastRadius {
  return {
    kind,
    subject,
    tenants: widest(rows.map((row) => row.tenants)),
    itself: widest(rows.filter(({ asks }) => asks.length === 0).map((row) => row.tenants)),
    secrets: widest(rows.filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue')).map((row) => row.tenants)),
    rows,
  };
}
