/** A dedicated tenant's roles and key. No template holds them: the worker of tenants makes them, with the very policies that are read here. */

import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { cellOf, keyPolicy, readerTrust, writerTrust } from '../../functions/tenants/dedicated-policies.ts';
import { dedicatedRoleNames } from '../../functions/tenants/dedicated-tier.ts';
import { type CompiledPolicy, compilePolicy } from '../../local/iam/evaluate.ts';
import { parsePolicyDocument } from '../../local/services/iam-policy-document.ts';
import { type Role, type StackKey, tenants } from './stack-model.ts';

const both = Object.values(tenants).map((name) => tenantId.parse(name));
/** Tags that a dedicated tenant's roles and key carry. */
const tagsOf = (tenant: string): Record<string, string> => ({ TenantId: tenant, Tier: 'dedicated' });

/**
 * @param setting a variable of the environment of the function that makes these roles
 * @param policy a managed policy of the stack, by its ARN
 */
export function dedicatedRoles(
  setting: (name: string) => string,
  policy: (arn: string, kind: 'identity' | 'boundary') => CompiledPolicy,
): Role[] {
  const cell = cellOf(setting('TENANT_KEY_ARN'));
  const by = {
    sessionsRoleArn: setting('SESSIONS_ROLE_ARN'),
    tenantsRoleArn: setting('TENANTS_ROLE_ARN'),
    doorRoleArn: setting('DOOR_ROLE_ARN'),
    rotationRoleArn: setting('ROTATION_ROLE_ARN'),
    revocationRoleArn: setting('REVOCATION_ROLE_ARN'),
  };
  return both.flatMap((tenant) => {
    const { reader, writer } = dedicatedRoleNames(tenant);
    const arnOf = (name: string): string => `${setting('DEDICATED_ROLE_ARN_PREFIX').replace(/TenantAgent-$/, '')}${name}`;
    const make = (name: string, access: string, trust: object): Role => ({
      name,
      arn: arnOf(name),
      identity: [access, 'TENANT_ISOLATION_POLICY_ARN', 'TENANT_REVOKED_POLICY_ARN'].map((one) => policy(setting(one), 'identity')),
      foreign: [],
      boundary: policy(setting('TENANT_BOUNDARY_ARN'), 'boundary'),
      trust: compilePolicy(`trust of ${name}`, 'resource', parsePolicyDocument(JSON.stringify(trust))),
      tags: tagsOf(tenant),
    });
    return [
      make(reader, 'TENANT_READER_POLICY_ARN', readerTrust(cell, arnOf(reader), by)),
      make(writer, 'TENANT_WRITER_POLICY_ARN', writerTrust(cell, by)),
    ];
  });
}

export function dedicatedKeys(setting: (name: string) => string): StackKey[] {
  const cell = cellOf(setting('TENANT_KEY_ARN'));
  return both.map((tenant) => {
    const { reader, writer } = dedicatedRoleNames(tenant);
    const prefix = setting('DEDICATED_ROLE_ARN_PREFIX').replace(/TenantAgent-$/, '');
    const roles = { readerArn: `${prefix}${reader}`, writerArn: `${prefix}${writer}`, supplierArn: setting('TENANT_SUPPLIER_ROLE_ARN') };
    return {
      name: `dedicated key of ${tenant}`,
      arn: `arn:${cell.partition}:kms:${cell.region}:${cell.accountId}:key/dedicated-${tenant}`,
      tags: tagsOf(tenant),
      policy: compilePolicy(`key of ${tenant}`, 'resource', parsePolicyDocument(JSON.stringify(keyPolicy(cell, tenant, roles)))),
    };
  });
}
