import { z } from 'zod';
import { endpointUrl } from '../../shared/endpoint-url.ts';
import type { SecretText } from '../../shared/secret-text.ts';
import type { CanaryName } from '../canaries.ts';

const client = z.strictObject({ clientId: z.string().min(1).max(256), clientSecret: z.string().min(1).max(1024) });

/**
 * What the platform's identity provider has given out for the canaries: two clients that get tokens by client credentials (RFC 6749, section 4.4), whose tokens name the
 * canary as their tenant. It lies in one secret of the platform, as administrators' credentials do.
 */
export const canaryIdentity = z.strictObject({
  tokenUrl: endpointUrl,
  clients: z.strictObject({ a: client, b: client }),
  /** Sent along when there is one: some identity providers choose the audience by either. */
  audience: z.string().max(512).optional(),
  scope: z.string().max(512).optional(),
  /** Where agents reach the broker, when it has a name of its own: `https://broker.example/v1`. */
  brokerUrl: endpointUrl.optional(),
});
export type CanaryIdentity = z.infer<typeof canaryIdentity>;

/** What the canaries are known by. Both throw CordonError CANARY_UNAVAILABLE when the secret has no value, or the identity provider gives no token. */
export interface Identities {
  /** A fresh token of the canary. */
  token(canary: CanaryName): Promise<SecretText>;
  brokerUrl(): Promise<string>;
}
