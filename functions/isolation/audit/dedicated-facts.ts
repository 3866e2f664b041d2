import { z } from 'zod';
import type { TenantId } from '../../shared/identifiers.ts';
import { dedicatedEnv } from '../../tenants/dedicated-env.ts';
import { type DedicatedTierSettings, dedicatedPlan, dedicatedTierSettings } from '../../tenants/dedicated-plan.ts';
import { existence, type Fact } from './fact.ts';
import { asPolicy } from './policy-document.ts';
import type { Reference } from './reference.ts';
import { type DeployedStack, resolved } from './resolve-reference.ts';
import { decidingTags, document, listed, nameOf, roleFacts } from './thing.ts';

const settings = z.object(dedicatedEnv);

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
