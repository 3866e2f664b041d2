import { CordonError } from '../../shared/errors.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import type { AuditDeps } from './audit-policies.ts';
import { dedicatedFacts, settingsOf } from './dedicated-facts.ts';
import type { DeployedIdentities, DeployedRole, Looked } from './deployed.ts';
import { expectedFacts, strangersInStack } from './expected-facts.ts';
import type { Fact, Unread } from './fact.ts';
import { cordonPath, identityFacts, tenantOfRole } from './identity-facts.ts';
import { normalStatements } from './policy-document.ts';
import { type DeployedStack, type StackResource, Unresolved } from './resolve-reference.ts';
import { nameOf } from './thing.ts';

/** What should be, what is, and what could not be seen. */
export interface Sight {
  readonly expected: readonly Fact[];
  readonly actual: readonly Fact[];
  readonly unread: readonly Unread[];
  readonly identities: DeployedIdentities;
  /** Cordon's own. */
  readonly roles: readonly DeployedRole[];
  /** ARNs of managed policies that hold a Deny. */
  readonly refusing: ReadonlySet<string>;
  /** When the youngest role of a dedicated tenant was made. */
  readonly youngest: ReadonlyMap<TenantId, number>;
}

const nobody: DeployedIdentities = { roles: [], policies: [], usersAndGroups: [] };

/** Looks at everything there is, one service after the other: what one does not answer is told, and the others are still seen. */
export async function look({ deployed, reference, cell }: AuditDeps): Promise<Sight> {
  const unread: Unread[] = [];
  /** Tells what could not be read as a whole, and goes on without it. */
  const orElse = async <Value>(what: string, reading: () => Promise<Value>, without: Value): Promise<{ value: Value; isRead: boolean }> => {
    try {
      return { value: await reading(), isRead: true };
    } catch (error) {
      if (!(error instanceof CordonError || error instanceof Unresolved)) throw error;
      unread.push({ of: what, why: error.message });
      return { value: without, isRead: false };
    }
  };
  const none = new Map<string, StackResource>();
  const { value: resources, isRead: isStackKnown } = await orElse('the stack', () => deployed.stackResources(), none);
  const stack: DeployedStack = { cell, resources, pathOf: (logicalId) => pathIn(reference.resources[logicalId]?.properties) };
  const { value: identities, isRead: areIdentitiesKnown } = await orElse('the account’s identities', () => deployed.identities(), nobody);
  const { value: aliases } = await orElse('the names of keys', () => deployed.dedicatedKeys(), new Map<TenantId, string>());

  const stackRoles = new Set([...resources.values()].filter(({ type }) => type === 'AWS::IAM::Role').map(({ physicalId }) => physicalId));
  const ofStack = isStackKnown ? expectedFacts(reference, stack) : { facts: [], unread: [] };
  const { value: settings } = await orElse(
    'how dedicated tenants’ roles are made',
    async () => (isStackKnown ? settingsOf(reference, stack) : undefined),
    undefined,
  );
  const tenants = new Set([...identities.roles.flatMap((role) => tenantOfRole(role) ?? []), ...aliases.keys()]);
  const dedicated = settings === undefined ? [] : [...tenants].flatMap((id) => dedicatedFacts(id, aliases.get(id), settings));
  const dedicatedKeys = settings === undefined ? [] : [...aliases.values()];
  const keyIds = [...resources.values()].flatMap(({ type, physicalId }) => (type === 'AWS::KMS::Key' ? [physicalId] : []));

  const nothing: Looked = { facts: [], unread: [] };
  const { value: keys } = await orElse('the keys', () => deployed.keys([...keyIds, ...dedicatedKeys]), nothing);
  const { value: others } = await orElse('the stack’s resources', () => deployed.resources(stack), nothing);
  const strangers = isStackKnown ? strangersInStack(reference, stack) : [];
  const seen = [identityFacts(identities, stackRoles), keys, others];
  // Nothing is said of what there is nothing to compare with.
  const isComparable = ({ tenantId }: Fact): boolean => isStackKnown && (tenantId === undefined || settings !== undefined);
  const isIdentity = ({ of }: Fact): boolean =>
    of.startsWith(nameOf('AWS::IAM::Role', '')) || of.startsWith(nameOf('AWS::IAM::ManagedPolicy', ''));
  const expected = [...ofStack.facts, ...dedicated].filter((fact) => areIdentitiesKnown || !isIdentity(fact));
  return {
    expected,
    actual: [...seen.flatMap(({ facts }) => facts), ...strangers].filter(isComparable),
    unread: [...unread, ...ofStack.unread, ...seen.flatMap((one) => one.unread)],
    identities,
    roles: identities.roles.filter((role) => role.path.startsWith(cordonPath) || stackRoles.has(role.name)),
    refusing: refusingPolicies(expected, identities),
    youngest: youngestOf(identities),
  };
}

function pathIn(properties: Readonly<Record<string, unknown>> | undefined): string {
  const path = properties?.['Path'];
  return typeof path === 'string' ? path : '/';
}

/** By what was synthesized: a policy that has lost its Deny is a finding of its own. */
function refusingPolicies(expected: readonly Fact[], { policies }: DeployedIdentities): ReadonlySet<string> {
  const names = new Set(
    expected.flatMap(({ of, value }) =>
      value.kind === 'document' && normalStatements(value.document).some(({ effect }) => effect === 'Deny') ? [of] : [],
    ),
  );
  return new Set(policies.map(({ arn }) => arn).filter((arn) => names.has(nameOf('AWS::IAM::ManagedPolicy', arn))));
}

function youngestOf({ roles }: DeployedIdentities): ReadonlyMap<TenantId, number> {
  const youngest = new Map<TenantId, number>();
  for (const role of roles) {
    const tenantId = tenantOfRole(role);
    if (tenantId !== undefined) youngest.set(tenantId, Math.max(youngest.get(tenantId) ?? 0, role.madeAt));
  }
  return youngest;
}
