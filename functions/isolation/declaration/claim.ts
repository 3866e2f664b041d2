import type { Service } from '../check.ts';

/** One thing that is said of how a service keeps a tenant apart. */
export interface Claim {
  /** Its own name, the same for every tenant: `vault/others-secrets`. */
  readonly id: string;
  /** In a sentence, for the tenant to hold Cordon to. */
  readonly says: string;
  /** What refuses: statements as `Policy/Sid`, or the file where it is done. */
  readonly mechanism: readonly string[];
  /** IDs of all checks that have to pass before it counts as verified. None: it is declared only, and nothing in a run shows it. */
  readonly checks: readonly string[];
}

/** How a service is used by a tenant: by all together, or one for each. */
export type Sharing = 'shared' | 'per-tenant';

export interface ServiceDeclaration {
  readonly service: Service;
  readonly sharing: Sharing;
  /** What is shared, and what is the tenant's own. */
  readonly justification: string;
  readonly claims: readonly Claim[];
}

/** Claims of a service, with the checks of one test named in short. */
export function claimsOf(service: Service) {
  return (
    name: string,
    says: string,
    mechanism: readonly string[],
    checks: Readonly<Partial<Record<TestName, readonly string[]>>>,
  ): Claim => ({
    id: `${service}/${name}`,
    says,
    mechanism,
    checks: Object.entries(checks).flatMap(([test, ids]) => ids.map((id) => `${test}/${id}`)),
  });
}
type TestName = 'enumeration' | 'rate-limit-attribution' | 'usage-log-attribution' | 'vault-access-scope' | 'rotation-independence';

/** Both the policy attached to each tenant role and its boundary hold it: either alone refuses. */
export function walls(...sids: readonly string[]): readonly string[] {
  return sids.flatMap((sid) => [`TenantIsolation/${sid}`, `TenantBoundary/${sid}`]);
}
