import type { z } from 'zod';
import { isTenantId, type TenantId } from '../shared/identifiers.ts';
import type { tenantOnboarded } from '../tenants/events.ts';

/**
 * The two synthetic tenants that the isolation tests are run with. They are onboarded as any tenant is, by `TenantOnboarded`, and nobody else is to be given their names.
 * What a session of theirs is refused was tried on purpose and is no violation; what it is allowed on anybody else's data is one.
 */
export const canaryIds = { a: tenantIdOf('cordon-canary-a'), b: tenantIdOf('cordon-canary-b') } as const;
export type CanaryName = keyof typeof canaryIds;
export const canaryNames = ['a', 'b'] as const satisfies readonly CanaryName[];

export function isCanary(tenantId: string): boolean {
  return tenantId === canaryIds.a || tenantId === canaryIds.b;
}

/** Where their keys are from: a provider that keys can be made at and rotated, and that says in its answers how much of a limit is left. */
export const canaryProvider = 'openai';

/** Each has a credential and an environment of its own name, so that either can be asked for by the other. */
export const canaryCredentials = { a: 'canary-a-key', b: 'canary-b-key' } as const;
export const canaryEnvironments = { a: 'canary-a', b: 'canary-b' } as const;

/** The event that onboards one of them. Its old key is kept as briefly as Cordon keeps any: the tests rotate it every day. */
export function canaryOnboarding(name: CanaryName, requestedBy: string): z.input<typeof tenantOnboarded> {
  const [provider, environment, credentialId] = [canaryProvider, canaryEnvironments[name], canaryCredentials[name]] as const;
  return {
    ...{ version: 1, tenantId: canaryIds[name], displayName: `Canary ${name.toUpperCase()} of the isolation tests` },
    ...{ tier: 'pool', requestedBy },
    credentials: [{ credentialId, provider, source: 'platform-issued', environment, rotation: { everyDays: 90, graceHours: 0 } }],
    routing: [{ match: { provider, environment }, use: credentialId }],
  };
}

function tenantIdOf(text: string): TenantId {
  if (!isTenantId(text)) throw new TypeError(`${text} is no tenant ID`);
  return text;
}
