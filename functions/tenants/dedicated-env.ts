import { arn } from '../shared/worker-env.ts';

/** What a dedicated tenant's roles and key are made of, by the names that `tenants` is configured with. The audit of policies goes by the same. */
export const dedicatedEnv = {
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  /** The key of all pool tenants. */
  TENANT_KEY_ARN: arn,
  TENANT_BOUNDARY_ARN: arn,
  TENANT_ISOLATION_POLICY_ARN: arn,
  /** By which sessions are cut off: it is attached to a dedicated tenant's roles as to the shared ones. */
  TENANT_REVOKED_POLICY_ARN: arn,
  TENANT_READER_POLICY_ARN: arn,
  TENANT_WRITER_POLICY_ARN: arn,
  SESSIONS_ROLE_ARN: arn,
  TENANTS_ROLE_ARN: arn,
  /** The door's own role: it stores what a dedicated tenant hands over, through that tenant's writer. */
  DOOR_ROLE_ARN: arn,
  /** The rotation worker's own role: it stages through a dedicated tenant's writer, and tries versions it reads as its reader. */
  ROTATION_ROLE_ARN: arn,
  REVOCATION_ROLE_ARN: arn,
  TENANT_SUPPLIER_ROLE_ARN: arn,
};
export type DedicatedEnv = Readonly<Record<keyof typeof dedicatedEnv, string>>;
