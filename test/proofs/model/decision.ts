/** Whether a request is allowed, as a formula: what `local/iam/evaluate.ts` decides for one request, for a role's session. */
import type { PolicyDocument } from '../../../local/iam/policy.ts';
import type { Naming } from '../../../local/iam/principals.ts';
import { and, type Formula, not, or } from './formula.ts';
import type { Translation } from './translate.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** Every policy that concerns a request. */
export interface Policies {
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
  readonly resource?: NamedPolicy;
  /** KMS keys and role trust: without an Allow of the resource policy nothing is allowed. */
  readonly resourceRequired?: boolean;
  /** The resource belongs to another account than the caller. */
  readonly acrossAccounts?: boolean;
}

export function allowed(say: Translation, policies: Policies): Formula {
  const { boundary, resource } = policies;
  const inForce = [...policies.identity, ...(boundary === undefined ? [] : [boundary])];
  const denied = or(
    ...inForce.flatMap(({ document }) => say.statements(document, 'Deny', false).map(({ applies }) => applies)),
    ...(resource === undefined ? [] : say.statements(resource.document, 'Deny', true).map(({ applies }) => applies)),
  );
  const granted = (...namings: readonly Naming[]): Formula =>
    resource === undefined
      ? false
      : or(
          ...say.statements(resource.document, 'Allow', true).flatMap(({ naming, applies }) => (namings.includes(naming) ? [applies] : [])),
        );
  const allows = (policy: NamedPolicy): Formula => or(...say.statements(policy.document, 'Allow', false).map(({ applies }) => applies));
  const ceiling = boundary === undefined ? true : allows(boundary);
  const own = and(or(...policies.identity.map(allows)), ceiling);
  if (policies.acrossAccounts === true) return and(not(denied), granted('self', 'role', 'account'), own);
  return and(
    not(denied),
    or(
      granted('self'),
      and(granted('role'), ceiling),
      // A policy that names the role more closely than the account speaks first, and is limited by the ceiling as well.
      and(not(granted('role')), policies.resourceRequired === true ? granted('account') : true, own),
    ),
  );
}
