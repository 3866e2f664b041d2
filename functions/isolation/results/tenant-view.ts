import type { OpenedForToken } from '../../sessions/admit-caller.ts';
import type { Registry } from '../../tenants/registry.ts';
import type { VerificationReader } from '../verify/verification.ts';

/** One tenant's runs, and what is declared of it, read in that tenant's own session: IAM refuses any other's. All throw as the stores they are of. */
export interface TenantView extends Readonly<OpenedForToken['view']> {
  readonly runs: VerificationReader;
  readonly registry: Pick<Registry, 'tenant' | 'credentials'>;
}

/** For whom a session was minted. */
export interface OpenedTenant extends OpenedForToken {
  readonly view: TenantView;
}

/**
 * Opens the data of the tenant that a token names.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE | AWS_UNAVAILABLE
 */
export type OpenTenant = (token: string) => Promise<OpenedTenant>;
