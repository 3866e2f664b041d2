import { z } from 'zod';
import type { TenantId } from '../../shared/identifiers.ts';
import { type DedicatedTierSettings, dedicatedPlan, dedicatedTierSettings } from '../../tenants/dedicated-plan.ts';
import { existence, type Fact } from './fact.ts';
import { asPolicy } from './policy-document.ts';
import type { dedicatedSettings, Reference } from './reference.ts';
import { type DeployedStack, resolved } from './resolve-reference.ts';
import { decidingTags, document, listed, nameOf, roleFacts } from './thing.ts';

const arn = z.string();
const settings = z.object({
  DEDICATED_ROLE_ARN_PREFIX: arn,
  TENANT_KEY_ARN: arn,
  TENANT_BOUNDARY_ARN: arn,
  TENANT_ISOLATION_POLICY_ARN: arn,
  TENANT_REVOKED_POLICY_ARN: arn,
  TENANT_READER_POLICY_ARN: arn,
  TENANT_WRITER_POLICY_ARN: arn,
  SESSIONS_ROLE_ARN: arn,
  TENANTS_ROLE_ARN: arn,
  DOOR_ROLE_ARN: arn,
  ROTATION_ROLE_ARN: arn,
  REVOCATION_ROLE_ARN: arn,
  TENANT_SUPPLIER_ROLE_ARN: arn,
} satisfies Record<(typeof dedicatedSettings)[number], z.ZodString>);

/** How the function that makes dedicated tenants' roles and keys was synthesized to make them. Throws Unresolved. */
export function settingsOf({ dedicated }: Reference, stack: DeployedStack): DedicatedTierSettings {
  return dedicatedTierSettings(settings.parse(resolved(dedicated, stack)));
}

/** IAM's default: no role of Cordon asks for another. */
const longestSession = 3600;

/**
 * What the code that makes a dedicated tenant would make: its two roles, and its key where it has one. A role made by an earlier version differs from that, and so is
 * found; `cordon dedicated upgrade` brings it up to this.
 *
 * @param keyId of the key behind the tenant's alias
 */
export function dedicatedFacts(tenantId: TenantId, keyId: string | undefined, its: DedicatedTierSettings): readonly Fact[] {
  const { roles, key, tags } = dedicatedPlan(its, tenantId);
  const ofRoles = roles.flatMap(({ name, trust, boundaryArn, policyArns }) =>
    roleFacts({
      name,
      trust: asPolicy(trust),
      inline: {},
      attached: policyArns,
      boundary: boundaryArn,
      tags,
      longestSession,
      tenantId,
    }),
  );
  if (keyId === undefined) return ofRoles;
  const of = nameOf('AWS::KMS::Key', keyId);
  return [
    ...ofRoles,
    existence(of, { tenantId }),
    { of, aspect: 'policy', value: document(asPolicy(key.policy), 'AWS::KMS::Key'), tenantId },
    { of, aspect: 'grants', value: listed([], 'added'), tenantId },
    { of, aspect: 'tags', value: decidingTags(tags), tenantId },
  ];
}
