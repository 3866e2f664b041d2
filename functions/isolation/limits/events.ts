import { z } from 'zod';
import { providerName } from '../../providers/provider-name.ts';
import { commonFailures } from '../../shared/failure-event.ts';
import { credentialId, tenantId } from '../../shared/identifier-fields.ts';

/** A provider has refused a tenant's call with 429. Told once per credential and five seconds by each of the tenant's environments, however many calls there were. */
export const providerThrottled = z.strictObject({
  version: z.literal(1),
  tenantId,
  credentialId,
  provider: providerName,
  /** When the provider's answer came. */
  at: z.iso.datetime(),
});
export type ProviderThrottled = z.infer<typeof providerThrottled>;

/** Cordon's own, not the platform's: what is correlated comes from where it was seen. */
export const observedEvents = { ProviderThrottled: providerThrottled } as const;
/** The detail types that the correlation consumes. */
export const observedDetailTypes = ['ProviderThrottled'] as const satisfies readonly (keyof typeof observedEvents)[];

/** What the correlation says: only findings, and what it cannot understand. */
export const outboundEvents = commonFailures;
