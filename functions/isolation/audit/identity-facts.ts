import { isTenantId, type TenantId } from '../../shared/identifiers.ts';
import type { DeployedIdentities, DeployedPolicy, DeployedRole, Looked } from './deployed.ts';
import { existence, type Fact, type Unread } from './fact.ts';
import { parsePolicy } from './policy-document.ts';
import { document, nameOf, roleFacts } from './thing.ts';

/** Where every role and policy of Cordon is that has a name of its own. */
export const cordonPath = '/cordon/';
/** The policy that is meant for roles that Cordon does not make. */
const operatorPolicy = '/OperatorAccess';

/** The tenant whose own role it is: `TenantAgent-{id}`, `TenantAgent-{id}.writer`. */
export function tenantOfRole({ name, path }: Pick<DeployedRole, 'name' | 'path'>): TenantId | undefined {
  const id = /^TenantAgent-([^.]+)(?:\.writer)?$/.exec(name)?.[1];
  return path === cordonPath && id !== undefined && isTenantId(id) ? id : undefined;
}

/**
 * What there is of roles and policies that are Cordon's, or look so: those of the stack, and all under its path, whoever made them. And who else has a policy of Cordon
 * attached: such a policy outside the boundary is not the same policy.
 *
 * @param stackRoles names of the stack's roles, which have no path of their own
 */
export function identityFacts({ roles, policies, usersAndGroups }: DeployedIdentities, stackRoles: ReadonlySet<string>): Looked {
  const ours = roles.filter((role) => role.path.startsWith(cordonPath) || stackRoles.has(role.name));
  const others = [...roles.filter((role) => !ours.includes(role)), ...usersAndGroups];
  const looked = [
    ...ours.map((role) => read(nameOf('AWS::IAM::Role', role.name), () => factsOf(role))),
    ...policies
      .filter(({ path }) => path.startsWith(cordonPath))
      .map((policy) => read(nameOf('AWS::IAM::ManagedPolicy', policy.arn), () => policyFacts(policy))),
  ];
  const borrowed = others.flatMap(({ arn, attached }) =>
    attached
      .filter((policy) => policy.includes(`:policy${cordonPath}`) && !policy.endsWith(operatorPolicy))
      .map((policy) => existence(`attachment of ${nameOf('AWS::IAM::ManagedPolicy', policy)} to ${arn}`)),
  );
  return { facts: [...looked.flatMap(({ facts }) => facts), ...borrowed], unread: looked.flatMap(({ unread }) => unread) };
}

/** What is no policy is told, and hides nothing else. */
export function read(of: string, facts: () => readonly Fact[]): { readonly facts: readonly Fact[]; readonly unread: readonly Unread[] } {
  try {
    return { facts: facts(), unread: [] };
  } catch (error) {
    return { facts: [], unread: [{ of, why: error instanceof Error ? error.message : 'it is not understood' }] };
  }
}

function factsOf(role: DeployedRole): readonly Fact[] {
  const tenantId = tenantOfRole(role);
  return roleFacts({
    ...role,
    trust: parsePolicy(role.trust),
    inline: Object.fromEntries(Object.entries(role.inline).map(([name, text]) => [name, parsePolicy(text)])),
    ...(tenantId !== undefined && { tenantId }),
  });
}

function policyFacts({ arn, document: text }: DeployedPolicy): readonly Fact[] {
  const of = nameOf('AWS::IAM::ManagedPolicy', arn);
  return [existence(of), { of, aspect: 'document', value: document(parsePolicy(text), 'IDENTITY_POLICY') }];
}
