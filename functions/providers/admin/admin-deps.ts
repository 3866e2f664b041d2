import type { SecretText } from '../../shared/secret-text.ts';

/** What every administration is reached with. Base URLs are https, or http to a loopback address in development. */
export interface AdminDeps {
  /** Where a tenant's key is tried: the data plane. The documented host when left out. */
  readonly baseUrl?: string | undefined;
  /** Where keys are administered. The documented host when left out. */
  readonly adminBaseUrl?: string | undefined;
  /** The value of the provider's admin secret, as the adapter's description says. Asked for at each call, so that a changed one is taken up. */
  readonly adminKey: () => Promise<SecretText>;
  readonly fetchUrl?: typeof fetch | undefined;
}
