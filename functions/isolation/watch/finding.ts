import type { TenantId } from '../../shared/identifiers.ts';

/** What the watch of CloudTrail finds. Each has its runbook in docs/detection.md. */
export const watchCodes = [
  /** A session's name and its tags, or the role it is of, do not name the same tenant and user. */
  'SESSION_DISAGREES',
  /** A session named for one tenant asked for what is another's. */
  'CROSS_TENANT_USE',
  /** Somebody who is no session of Cordon asked for the value of a tenant's secret. */
  'FOREIGN_READER',
  /** The same, to change it. */
  'FOREIGN_WRITER',
  /** Somebody moved what keeps tenants apart: the policy, the tags or the copies of a secret, the policy or the grants of a key. */
  'WALL_TOUCHED',
  /** Somebody named what nobody has a reason to name. */
  'HONEY_TOUCHED',
] as const;
export type WatchCode = (typeof watchCodes)[number];

export interface Finding {
  readonly code: WatchCode;
  /** Whose wall it is; undefined where a record names no tenant. */
  readonly tenantId?: TenantId | undefined;
  /** A sentence for people. Nothing secret. */
  readonly message: string;
  /** What it leaves to be done; empty where IAM refused it. */
  readonly left: readonly string[];
}
