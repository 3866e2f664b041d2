import type { TenantId } from '../shared/identifiers.ts';
import type { DedicatedEnv } from './dedicated-env.ts';
import { cellOf, keyPolicy, readerTrust, writerTrust } from './dedicated-policies.ts';
import { dedicatedRoleNames } from './dedicated-tier.ts';

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
