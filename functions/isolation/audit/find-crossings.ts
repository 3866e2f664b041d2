import { inParallel } from '../../shared/in-parallel.ts';
import { canaries, forbiddenRequests, type Places } from './cross-tenant-requests.ts';
import type { DeployedIdentities, DeployedRole } from './deployed.ts';
import type { Unread } from './fact.ts';
import { globOf } from './glob.ts';
import { cordonPath, tenantOfRole } from './identity-facts.ts';
import type { PolicyChecks } from './policy-checks.ts';
import { canonical, type PolicyDocument, parsePolicy, statementsOf } from './policy-document.ts';
import { nameOf } from './thing.ts';

/** What the policies of a role allow, taken together as they are now, that no role may do. */
export interface Crossing {
  readonly of: string;
  /** `{action} on {resource}` */
  readonly allowed: readonly string[];
}

/** What a role may do is asked once for all roles of the same policies: those of all dedicated tenants are one. */
interface Power {
  readonly role: DeployedRole;
  readonly policies: readonly PolicyDocument[];
  readonly boundary: PolicyDocument | undefined;
}

/** The simulator is one of IAM's slower calls. */
const atATime = 4;

/**
 * Asks IAM's simulator whether a role's policies let one tenant into another's data, or a standing role into any tenant's: for every role of Cordon, whether its policies
 * are as synthesized or not. A session is simulated for a tenant that does not exist.
 */
export async function findCrossings(
  checks: PolicyChecks,
  {
    identities,
    roles,
    places,
  }: { readonly identities: DeployedIdentities; readonly roles: readonly DeployedRole[]; readonly places: Places },
): Promise<{ readonly crossings: readonly Crossing[]; readonly unread: readonly Unread[] }> {
  const crossings: Crossing[] = [];
  const unread: Unread[] = [];
  const ask = async (power: Power): Promise<void> => {
    const of = nameOf('AWS::IAM::Role', power.role.name);
    try {
      const allowed = await allowedOf(checks, power, places);
      if (allowed.length > 0) crossings.push({ of, allowed: [...new Set(allowed)] });
    } catch (error) {
      unread.push({ of, aspect: 'simulation', why: error instanceof Error ? error.message : 'it could not be simulated' });
    }
  };
  await inParallel(distinctPowers(identities, roles), atATime, () => false, ask);
  return { crossings, unread };
}

async function allowedOf(checks: PolicyChecks, { role, policies, boundary }: Power, places: Places): Promise<readonly string[]> {
  if (policies.length === 0) return [];
  const own = tenantOfRole(role) ?? (role.path === cordonPath ? canaries.own : undefined);
  const found: string[] = [];
  const isNamed = namedByAllow(policies);
  for (const request of forbiddenRequests(places, { ...(own !== undefined && { own }), other: canaries.other })) {
    // What no Allow names is not allowed, whatever else is asked: most roles name little of this.
    const actions = request.actions.filter(isNamed);
    const context = { ...request.context, 'aws:PrincipalArn': role.arn };
    if (actions.length > 0) found.push(...(await checks.allowed({ policies, boundary, actions, resources: request.resources, context })));
  }
  return found;
}

/** Whether an Allow of these policies is about an action at all. A statement without a list of actions is about any. */
function namedByAllow(policies: readonly PolicyDocument[]): (action: string) => boolean {
  const allows = policies.flatMap(statementsOf).filter(({ Effect }) => Effect !== 'Deny');
  const isOpen = allows.some(({ Action }) => Action === undefined);
  const globs = allows.flatMap(({ Action }) => [Action ?? []].flat().map((pattern) => globOf(String(pattern))));
  return (action) => isOpen || globs.some((glob) => glob.test(action));
}

function distinctPowers({ policies: managed }: DeployedIdentities, roles: readonly DeployedRole[]): readonly Power[] {
  const documents = new Map(managed.map(({ arn, document }) => [arn, parsePolicy(document)]));
  const powers = new Map<string, Power>();
  for (const role of roles) {
    const attached = role.attached.flatMap((arn) => documents.get(arn) ?? []);
    const policies = [...attached, ...Object.values(role.inline).map(parsePolicy)];
    const boundary = role.boundary === undefined ? undefined : documents.get(role.boundary);
    // A dedicated tenant's roles differ in their names only, which their own tag follows.
    const kind = tenantOfRole(role) === undefined ? role.arn : `dedicated ${role.name.endsWith('.writer')}`;
    const key = canonical([kind, policies, boundary]);
    if (!powers.has(key)) powers.set(key, { role, policies, boundary });
  }
  return [...powers.values()];
}
