import type { TenantId } from '../shared/identifiers.ts';
import { cellOf, keyPolicy, readerTrust, writerTrust } from './dedicated-policies.ts';
import { dedicatedRoleNames } from './dedicated-tier.ts';
import type { TenantsEnv } from './env.ts';

export interface DedicatedTierSettings {
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  readonly roleArnPrefix: string;
  /** Any ARN of the cell that names Region and account. */
  readonly poolKeyArn: string;
  readonly boundaryArn: string;
  readonly isolationPolicyArn: string;
  /** Refuses sessions that were cut off. */
  readonly revokedPolicyArn: string;
  readonly readerPolicyArn: string;
  readonly writerPolicyArn: string;
  readonly sessionsRoleArn: string;
  readonly tenantsRoleArn: string;
  readonly doorRoleArn: string;
  readonly rotationRoleArn: string;
  readonly revocationRoleArn: string;
  /** TenantSupplier */
  readonly supplierRoleArn: string;
}

/** Of the function's configuration what a plan needs. */
export type DedicatedEnv = Pick<
  TenantsEnv,
  | 'DEDICATED_ROLE_ARN_PREFIX'
  | 'TENANT_KEY_ARN'
  | 'TENANT_BOUNDARY_ARN'
  | 'TENANT_ISOLATION_POLICY_ARN'
  | 'TENANT_REVOKED_POLICY_ARN'
  | 'TENANT_READER_POLICY_ARN'
  | 'TENANT_WRITER_POLICY_ARN'
  | 'SESSIONS_ROLE_ARN'
  | 'TENANTS_ROLE_ARN'
  | 'DOOR_ROLE_ARN'
  | 'ROTATION_ROLE_ARN'
  | 'REVOCATION_ROLE_ARN'
  | 'TENANT_SUPPLIER_ROLE_ARN'
>;

/** As the function `tenants` is configured. */
export function dedicatedTierSettings(env: DedicatedEnv): DedicatedTierSettings {
  return {
    roleArnPrefix: env.DEDICATED_ROLE_ARN_PREFIX,
    poolKeyArn: env.TENANT_KEY_ARN,
    boundaryArn: env.TENANT_BOUNDARY_ARN,
    isolationPolicyArn: env.TENANT_ISOLATION_POLICY_ARN,
    revokedPolicyArn: env.TENANT_REVOKED_POLICY_ARN,
    readerPolicyArn: env.TENANT_READER_POLICY_ARN,
    writerPolicyArn: env.TENANT_WRITER_POLICY_ARN,
    sessionsRoleArn: env.SESSIONS_ROLE_ARN,
    tenantsRoleArn: env.TENANTS_ROLE_ARN,
    doorRoleArn: env.DOOR_ROLE_ARN,
    rotationRoleArn: env.ROTATION_ROLE_ARN,
    revocationRoleArn: env.REVOCATION_ROLE_ARN,
    supplierRoleArn: env.TENANT_SUPPLIER_ROLE_ARN,
  };
}

export interface PlannedRole {
  readonly name: string;
  readonly path: string;
  readonly trust: object;
  readonly boundaryArn: string;
  readonly policyArns: readonly string[];
}

/** What a dedicated tenant has of its own, as this version makes it. */
export interface DedicatedPlan {
  /** The reader and the writer. */
  readonly roles: readonly [PlannedRole, PlannedRole];
  readonly key: { readonly alias: string; readonly policy: object };
  /** On all of it. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Pure. */
export function dedicatedPlan(settings: DedicatedTierSettings, tenantId: TenantId): DedicatedPlan {
  const cell = cellOf(settings.poolKeyArn);
  const { reader, writer } = dedicatedRoleNames(tenantId);
  const readerArn = `${settings.roleArnPrefix}${tenantId}`;
  const writerArn = `${readerArn}.writer`;
  const both = [settings.isolationPolicyArn, settings.revokedPolicyArn];
  const role = { path: '/cordon/', boundaryArn: settings.boundaryArn };
  return {
    roles: [
      { ...role, name: reader, trust: readerTrust(cell, readerArn, settings), policyArns: [settings.readerPolicyArn, ...both] },
      { ...role, name: writer, trust: writerTrust(cell, settings), policyArns: [settings.writerPolicyArn, ...both] },
    ],
    key: {
      alias: `alias/cordon/${tenantId}`,
      policy: keyPolicy(cell, tenantId, { readerArn, writerArn, supplierArn: settings.supplierRoleArn }),
    },
    tags: { TenantId: tenantId, Tier: 'dedicated' },
  };
}
