/** Which sessions come of which: whoever holds one session holds every other that it may make, and those that these may make. */
import { mayDo, type Session, sessionKey } from './session.ts';
import { type Role, type Stack, tenants, users } from './stack-model.ts';

/** Every set of tags that a call may pass: a tenant or none, a user or none. */
const askedTags = [undefined, ...Object.values(tenants)].flatMap((tenant) =>
  [undefined, ...Object.values(users)].map((user) => ({ tenant, user })),
);

/** Sessions that a session may make by one call, each once. Tags that would travel on are not asked for: no trust policy of the stack takes them, which its tests show. */
export function createChains(stack: Stack): {
  next(session: Session): readonly Session[];
  closure(start: readonly Session[]): readonly Session[];
} {
  const known = new Map<string, readonly Session[]>();

  function next(session: Session): readonly Session[] {
    const key = sessionKey(session);
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = new Map<string, Session>();
    for (const target of stack.roles) {
      for (const { tenant, user } of askedTags) {
        if (!mayAssume(session, target, tenant, user)) continue;
        // A session's tag stands before the role's own.
        const itsTenant = tenant ?? target.tags['TenantId'];
        const itsUser = user ?? target.tags['UserId'];
        const one = {
          role: target,
          ...(itsTenant !== undefined && { tenant: itsTenant }),
          ...(itsUser !== undefined && { user: itsUser }),
        };
        made.set(sessionKey(one), one);
      }
    }
    const found = [...made.values()];
    known.set(key, found);
    return found;
  }

  return {
    next,
    closure(start) {
      const reached = new Map(start.map((session) => [sessionKey(session), session]));
      // A map takes what is added while it is gone through.
      for (const session of reached.values())
        for (const one of next(session)) if (!reached.has(sessionKey(one))) reached.set(sessionKey(one), one);
      return [...reached.values()];
    },
  };
}

function mayAssume(session: Session, target: Role, tenant: string | undefined, user: string | undefined): boolean {
  if (target.trust === undefined) return false;
  const tagKeys = [...(tenant === undefined ? [] : ['TenantId']), ...(user === undefined ? [] : ['UserId'])];
  const context = {
    'aws:RequestTag/TenantId': tenant,
    'aws:RequestTag/UserId': user,
    'aws:TagKeys': tagKeys,
    'aws:ResourceTag/TenantId': target.tags['TenantId'],
    'aws:ResourceTag/Tier': target.tags['Tier'],
    'sts:RoleSessionName': 'session',
  };
  // Passing tags is a right of its own.
  const actions = tagKeys.length === 0 ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession'];
  return actions.every((action) =>
    mayDo(session, { action, resource: target.arn, context, resourcePolicy: target.trust, policyRequired: true }),
  );
}
