import { isTenantId, type TenantId } from '../../shared/identifiers.ts';

/** A role in which a tenant's session works. */
export interface CordonRole {
  readonly name: string;
  /** Of a dedicated tenant's own role. */
  readonly owner?: TenantId;
}

const shared: ReadonlySet<string> = new Set([
  'TenantReader',
  'TenantWriter',
  'TenantSupplier',
  'TenantRotator',
  'TenantRevoker',
  'TenantProvisioner',
  'TenantAuditor',
  'ByocConnector',
  'ByocProbe',
]);

/**
 * The role behind `arn:aws:iam::{accountId}:role/cordon/…` if it is one that Cordon makes, by its full name: whoever may make roles can make one under the same path, and it
 * is none of these.
 */
export function cordonRoleOf(roleArn: string, accountId: string): CordonRole | undefined {
  const [, name = ''] = new RegExp(`^arn:[^:]+:iam::${accountId}:role/cordon/([^/]+)$`).exec(roleArn) ?? [];
  if (shared.has(name)) return { name };
  const [, owner = ''] = /^TenantAgent-([^.]+)(?:\.writer)?$/.exec(name) ?? [];
  return isTenantId(owner) ? { name, owner } : undefined;
}
