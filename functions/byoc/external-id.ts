import { base32 } from '../shared/base32.ts';
import type { TenantId } from '../shared/identifiers.ts';

/** Gives this many bytes of cryptographic randomness. */
export type RandomBytes = (size: number) => Uint8Array;

/**
 * The external ID of one tenant and one customer account: 160 bits, made here and nowhere else, never by who asks. It is in the registry, in the customer's trust
 * policy and in the link that makes it; never in an event or a log. Source: IAM User Guide, "Access to AWS accounts owned by third parties".
 */
export function newExternalId(randomBytes: RandomBytes): string {
  return `cordon-${base32(randomBytes(20), 32)}`;
}

/** `cordon.{tenantId}.{8 random characters}`: 48 characters at most of the 64 that IAM allows, and none that another tenant's name could run into. */
export function newRoleName(tenantId: TenantId, randomBytes: RandomBytes): string {
  return `cordon.${tenantId}.${base32(randomBytes(5), 8)}`;
}
